"""The keys of the simulated vendors. They guard nothing: they only have to be the same on both sides."""

KEYS = {
    "stripe": "sk_test_simulator",
    "plaid": "simulator",
    "twilio": "simulator",
    "openai": "sk-simulator",
}
# What each vendor signs its webhooks with; Plaid signs with a key pair that is fetched from it.
SECRETS = {
    "stripe": "whsec_simulator",
    "twilio": KEYS["twilio"],
    "openai": "whsec_c2ltdWxhdG9yLXdlYmhvb2stc2VjcmV0",
}
TWILIO_ACCOUNT = "AC" + "5" * 32
TWILIO_SERVICE = "VA" + "5" * 32
TWILIO_NUMBER = "+15005550006"  # Twilio's own test number
PLAID_CLIENT = "simulator"
VENDORS = ("stripe", "plaid", "twilio", "openai")  # port, port + 1, port + 2, port + 3
