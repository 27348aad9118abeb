DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['networkevent', 'cardtransaction', 'carddecision', 'vaultentry', 'card', 'cardfreeze',
                                'controlset', 'cardauthorization'] LOOP
        EXECUTE format('DROP TRIGGER append_only_whole ON cards_%s', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['networkevent', 'cardtransaction', 'carddecision', 'vaultentry'] LOOP
        EXECUTE format('DROP TRIGGER append_only ON cards_%s', name);
    END LOOP;
END $$;
DROP TRIGGER cards_hold_fits ON cards_cardauthorization;
DROP FUNCTION cards_hold_fits();
DROP TRIGGER cards_authorization_keep ON cards_cardauthorization;
DROP FUNCTION cards_keep_authorization();
DROP TRIGGER cards_controls_keep ON cards_controlset;
DROP FUNCTION cards_keep_controls();
DROP TRIGGER cards_freeze_keep ON cards_cardfreeze;
DROP FUNCTION cards_keep_freeze();
DROP TRIGGER cards_card_keep ON cards_card;
DROP FUNCTION cards_keep_card();
