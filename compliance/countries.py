"""Country names as OFAC writes them, to ISO 3166 alpha-2. What is not here is kept as text and not compared."""

from collections.abc import Mapping

_ROWS = """\
Afghanistan AF|Albania AL|Algeria DZ|Angola AO|Argentina AR|Armenia AM|Aruba AW|Australia AU|Austria AT|Azerbaijan AZ|
Bahamas, The BS|Bahrain BH|Bangladesh BD|Barbados BB|Belarus BY|Belgium BE|Belize BZ|Benin BJ|Bermuda BM|Bolivia BO|
Bosnia and Herzegovina BA|Botswana BW|Brazil BR|Brunei BN|Bulgaria BG|Burkina Faso BF|Burma MM|Burundi BI|
Cabo Verde CV|Cambodia KH|Cameroon CM|Canada CA|Cayman Islands KY|Central African Republic CF|Chad TD|Chile CL|China CN|
Colombia CO|Comoros KM|Congo, Democratic Republic of the CD|Congo, Republic of the CG|Costa Rica CR|Cote d Ivoire CI|
Croatia HR|Cuba CU|Cyprus CY|Czech Republic CZ|Denmark DK|Djibouti DJ|Dominica DM|Dominican Republic DO|Ecuador EC|
Egypt EG|El Salvador SV|Equatorial Guinea GQ|Eritrea ER|Estonia EE|Ethiopia ET|Fiji FJ|Finland FI|France FR|Gabon GA|
Georgia GE|Germany DE|Ghana GH|Gibraltar GI|Greece GR|Guatemala GT|Guinea GN|Guinea-Bissau GW|Guyana GY|Haiti HT|
Honduras HN|Hong Kong HK|Hungary HU|Iceland IS|India IN|Indonesia ID|Iran IR|Iraq IQ|Ireland IE|Israel IL|Italy IT|
Jamaica JM|Japan JP|Jersey JE|Jordan JO|Kazakhstan KZ|Kenya KE|Korea, North KP|Korea, South KR|Kosovo XK|Kuwait KW|
Kyrgyzstan KG|Laos LA|Latvia LV|Lebanon LB|Lesotho LS|Liberia LR|Libya LY|Liechtenstein LI|Lithuania LT|Luxembourg LU|
Macau MO|Macedonia, The Former Yugoslav Republic of MK|North Macedonia, The Republic of MK|Madagascar MG|Malawi MW|
Malaysia MY|Maldives MV|Mali ML|Malta MT|Marshall Islands MH|Mauritania MR|Mauritius MU|Mexico MX|Moldova MD|Monaco MC|
Mongolia MN|Montenegro ME|Morocco MA|Mozambique MZ|Namibia NA|Nepal NP|Netherlands NL|Netherlands Antilles AN|
New Zealand NZ|Nicaragua NI|Niger NE|Nigeria NG|Norway NO|Oman OM|Pakistan PK|Palau PW|Palestinian PS|Panama PA|
Papua New Guinea PG|Paraguay PY|Peru PE|Philippines PH|Poland PL|Portugal PT|Qatar QA|Region: Crimea UA|
Region: Gaza PS|Region: Northern Mali ML|Romania RO|Russia RU|Rwanda RW|Saint Kitts and Nevis KN|
Saint Vincent and the Grenadines VC|Samoa WS|San Marino SM|Saudi Arabia SA|Senegal SN|Serbia RS|Seychelles SC|
Sierra Leone SL|Singapore SG|Slovakia SK|Slovenia SI|Somalia SO|South Africa ZA|South Sudan SS|Spain ES|Sri Lanka LK|
Sudan SD|Suriname SR|Sweden SE|Switzerland CH|Syria SY|Taiwan TW|Tajikistan TJ|Tanzania TZ|Thailand TH|The Gambia GM|
Togo TG|Trinidad and Tobago TT|Tunisia TN|Turkey TR|Turkmenistan TM|Uganda UG|Ukraine UA|United Arab Emirates AE|
United Kingdom GB|United States US|Uruguay UY|Uzbekistan UZ|Vanuatu VU|Venezuela VE|Vietnam VN|
Virgin Islands, British VG|West Bank PS|Yemen YE|Zambia ZM|Zimbabwe ZW"""

_CODES: Mapping[str, str] = {
    name: code for name, _, code in (row.strip().rpartition(" ") for row in _ROWS.split("|"))
}
_NAMES: Mapping[str, str] = {code: name for name, code in reversed(list(_CODES.items()))}


def code_of(name: str) -> str:
    """Return the alpha-2 code of a country as a list names it, '' if it is not known."""
    return _CODES.get(name.strip().rstrip("."), "")


def name_of(code: str) -> str:
    """Return a readable name of a country, the code itself if none is known."""
    return _NAMES.get(code, code)
