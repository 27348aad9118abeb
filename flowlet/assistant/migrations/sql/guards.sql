-- What was said stays as it was said until the retention job deletes it.
CREATE TRIGGER chat_message_refuse_update BEFORE UPDATE ON assistant_chatmessage
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
