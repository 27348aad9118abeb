DROP FUNCTION flowlet_grant_rights(name, jsonb, jsonb, text[]);
