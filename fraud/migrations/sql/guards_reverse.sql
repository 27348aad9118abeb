ALTER TABLE fraud_modelfile DROP CONSTRAINT model_file_digest;
ALTER TABLE fraud_modelfile DROP CONSTRAINT model_file_size;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['historyevent', 'label', 'decision', 'decisionkey', 'modelscore', 'rulehit',
                                'modelfile', 'featureset', 'gaterun', 'ruleversion', 'policyversion', 'trainingrun',
                                'modelartefact'] LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS fraud_append_only ON fraud_%s', name);
        EXECUTE format('DROP TRIGGER fraud_no_truncate ON fraud_%s', name);
    END LOOP;
END $$;
DROP TRIGGER fraud_label_delete ON fraud_label;
DROP TRIGGER fraud_model_change ON fraud_modelartefact;
DROP TRIGGER fraud_run_fixed ON fraud_trainingrun;
DROP TRIGGER fraud_policy_fixed ON fraud_policyversion;
DROP TRIGGER fraud_rule_fixed ON fraud_ruleversion;
DROP TRIGGER fraud_label_update ON fraud_label;
DROP TRIGGER fraud_label_insert ON fraud_label;
DROP TRIGGER fraud_stamp ON fraud_historyevent;
DROP FUNCTION fraud_model_change();
DROP FUNCTION fraud_run_update();
DROP FUNCTION fraud_version_update();
DROP FUNCTION fraud_label_update();
DROP FUNCTION fraud_label_insert();
DROP FUNCTION fraud_stamp();
