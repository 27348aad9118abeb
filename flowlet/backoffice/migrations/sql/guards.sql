CREATE TRIGGER form_receipt_refuse_change BEFORE UPDATE OR DELETE ON backoffice_formreceipt
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER form_receipt_refuse_truncate BEFORE TRUNCATE ON backoffice_formreceipt
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
