"""The pages of bank accounts, files, statements, lines and CSV mappings: importing this module registers them all."""

from ledger import admin_bank_accounts, admin_bank_files, admin_bank_statements, admin_csv_mappings

__all__ = ["admin_bank_accounts", "admin_bank_files", "admin_bank_statements", "admin_csv_mappings"]
