# ruff: noqa: RUF001 - names in their own scripts are the point
"""Names to invent people and businesses from, by where they come from. All combinations are invented."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Given and family names that go together, and the countries where such people live, likeliest first."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    countries: tuple[str, ...]


ORIGINS: tuple[Origin, ...] = (
    Origin(
        (
            "Lena",
            "Jonas",
            "Marie",
            "Felix",
            "Clara",
            "Moritz",
            "Hanna",
            "Emil",
            "Frieda",
            "Anton",
            "Greta",
            "Jürgen",
        ),
        (
            "Brandner",
            "Köhler",
            "Weißmann",
            "Lindemann",
            "Aigner",
            "Hölzl",
            "Vogt",
            "Sauerbier",
            "Übelacker",
            "Rothe",
        ),
        ("DE", "AT", "CH"),
    ),
    Origin(
        (
            "Camille",
            "Étienne",
            "Océane",
            "Baptiste",
            "Margaux",
            "Théo",
            "Élodie",
            "Rémi",
            "Apolline",
            "Bastien",
        ),
        (
            "Lefournier",
            "Dubreuil",
            "Marchetti",
            "Guérin",
            "Vasseur",
            "Pelletan",
            "Delacourt",
            "Rivoire",
            "Chastel",
        ),
        ("FR", "BE", "CH"),
    ),
    Origin(
        (
            "Oliver",
            "Amelia",
            "Harriet",
            "George",
            "Imogen",
            "Rhys",
            "Niamh",
            "Callum",
            "Freya",
            "Alfie",
            "Isla",
        ),
        (
            "Ashworth",
            "Penrose",
            "MacAllan",
            "Thornbury",
            "Okonjo-Hale",
            "Llewellyn",
            "O'Dwyer",
            "Whitcombe",
            "Barlow",
        ),
        ("GB", "IE"),
    ),
    Origin(
        (
            "Ingrid",
            "Sverre",
            "Mirela",
            "Aksel",
            "Solveig",
            "Henrik",
            "Åsa",
            "Björn",
            "Signe",
            "Mikkel",
            "Tuva",
        ),
        (
            "Sandvik",
            "Lindqvist",
            "Øverland",
            "Holmgård",
            "Nygaard",
            "Bergström",
            "Rasmusson",
            "Kjærsgaard",
            "Åkesson",
        ),
        ("NO", "SE", "DK"),
    ),
    Origin(
        (
            "Katarzyna",
            "Wojciech",
            "Małgorzata",
            "Łukasz",
            "Zofia",
            "Stanisław",
            "Agnieszka",
            "Paweł",
            "Jadwiga",
        ),
        ("Zieliński", "Wrońska", "Kowalczyk", "Grześkowiak", "Łukasik", "Mazurek", "Sobczyńska", "Dąbrowa"),
        ("PL", "DE", "GB"),
    ),
    Origin(
        ("Inés", "Álvaro", "Lucía", "Iker", "Begoña", "Rodrigo", "Núria", "Gonzalo", "Itziar", "Mateo"),
        (
            "Iriarte",
            "Villanueva",
            "Peñalba",
            "Casado",
            "Ibáñez",
            "Montoro",
            "Zubiaurre",
            "Larrañaga",
            "Cifuentes",
        ),
        ("ES", "PT", "FR"),
    ),
    Origin(
        ("Giulia", "Lorenzo", "Chiara", "Matteo", "Ginevra", "Davide", "Elisabetta", "Niccolò", "Fiamma"),
        ("Bertolucci", "Sforzini", "Ravelli", "Quaranta", "Montefeltri", "Galvani", "Tesseri", "D'Amicis"),
        ("IT", "CH"),
    ),
    Origin(
        ("Elif", "Emre", "Zeynep", "Kerem", "Ayşegül", "Oğuzhan", "Defne", "Barış", "Gülşah"),
        ("Yıldırım", "Karagöz", "Demirtaş", "Özkan", "Şahinoğlu", "Aksoylu", "Güneşli", "Çelikkol"),
        ("DE", "NL", "TR"),
    ),
    Origin(
        ("Анна", "Дмитро", "Олена", "Тарас", "Софія", "Богдан", "Катерина", "Остап"),
        ("Коваленко", "Шевчук", "Бондаренко", "Литвин", "Гончар", "Савчук", "Мельниченко"),
        ("UA", "PL", "DE"),
    ),
    Origin(
        ("Ελένη", "Νίκος", "Κατερίνα", "Σπύρος", "Δήμητρα", "Γιώργος"),
        ("Παπαδάκης", "Οικονόμου", "Βλαχάκης", "Στεφανίδη", "Καραγιάννης"),
        ("GR", "CY"),
    ),
    Origin(
        ("Yuki", "Haruto", "Sakura", "Kenji", "Aoi", "Takumi", "Hinata", "Ren", "Mei", "Shōhei"),
        ("Hayashibara", "Kuroda", "Miyazawa", "Tachibana", "Ōkubo", "Fujimori", "Nakahara", "Shirogane"),
        ("JP",),
    ),
    Origin(
        ("Noura", "Faisal", "Dalal", "Yousef", "Maryam", "Bader", "Haya", "Mishari", "Latifa"),
        ("Al-Mansouri", "Al-Rashidan", "Bu Hamad", "Al-Duwaisan", "Al-Khamees", "Al-Sabti", "Al-Otaiban"),
        ("KW", "AE", "QA"),
    ),
    Origin(
        ("Wei", "Jing", "Minghao", "Xiuying", "Haoran", "Lihua", "Zihan", "Yutong"),
        ("Ouyang", "Zheng", "Xie", "Situ", "Fan", "Lu", "Zhuge", "Pan"),
        ("SG", "HK", "GB"),
    ),
    Origin(
        ("Priya", "Arjun", "Meenakshi", "Rohan", "Lakshmi", "Vikram", "Ananya", "Siddharth"),
        ("Raghunathan", "Deshpande", "Banerji", "Chandrasekhar", "Mehrotra", "Kulkarni", "Pillai"),
        ("IN", "GB", "AE"),
    ),
    Origin(
        ("Adaeze", "Chinedu", "Folasade", "Kwabena", "Amara", "Tunde", "Akosua", "Ifeanyi"),
        ("Okafor", "Adeyemi", "Boateng", "Nwosu", "Asante", "Balogun", "Mensah-Addo"),
        ("NG", "GH", "GB"),
    ),
    Origin(
        ("Thảo", "Minh", "Linh", "Quang", "Hương", "Đức"),
        ("Nguyễn", "Trần", "Phạm", "Đặng", "Võ", "Bùi"),
        ("VN", "FR", "DE"),
    ),
    Origin(
        ("Emma", "Liam", "Madison", "Tyler", "Savannah", "Marcus", "Brooke", "Darnell", "Hailey"),
        ("Whitfield", "Castellano", "Brubaker", "Langston", "Delgado-Reyes", "Hollister", "Kowalski"),
        ("US", "CA"),
    ),
)

BUSINESS_HEADS = (
    *(
        "Nordlicht",
        "Blue Heron",
        "Casa Verde",
        "Kranich",
        "Maple & Stone",
        "Atelier Rivoire",
        "Sable",
        "Brightwater",
    ),
    *(
        "Ostara",
        "Pinecrest",
        "Lumina",
        "Tidewater",
        "Fjordvik",
        "Solana",
        "Granite Peak",
        "Willow Lane",
        "Koralle",
    ),
    *(
        "Hazelwood",
        "Aurora",
        "Meridian",
        "Copper Kettle",
        "Quayside",
        "Silberfuchs",
        "Monte Alto",
        "Redbrick",
    ),
)
BUSINESS_TRADES = (
    *("Bakery", "Logistics", "Design", "Books", "Cycles", "Interiors", "Catering", "Instruments", "Gardens"),
    *("Textiles", "Ceramics", "Robotics", "Coffee", "Outfitters", "Optics", "Studios"),
)
HOTELS = (
    *(
        "Hotel",
        "Guest House",
        "Lodge",
        "Railways",
        "Taxi Cooperative",
        "Museum Trust",
        "Airport Transfers",
        "Bistro",
    ),
)
LEGAL_FORMS = {
    "DE": "GmbH",
    "AT": "GmbH",
    "CH": "AG",
    "FR": "SARL",
    "GB": "Ltd",
    "IE": "Ltd",
    "NO": "AS",
    "SE": "AB",
    "DK": "ApS",
    "PL": "Sp. z o.o.",
    "ES": "S.L.",
    "PT": "Lda",
    "IT": "S.r.l.",
    "NL": "B.V.",
    "JP": "K.K.",
    "KW": "W.L.L.",
    "AE": "LLC",
    "US": "Inc.",
    "SG": "Pte Ltd",
}

# Namesakes of entries of the sample list that ships: other birth dates and countries, so that officers have work.
NAMESAKES: tuple[tuple[str, str, str], ...] = (
    ("Antonio", "Zagaria", "IT"),
    ("Fatmir", "Limaj", "CH"),
    ("Lionel", "Dumont", "FR"),
    ("Gerhard", "Wisser", "AT"),
    ("Petr", "Kolbin", "CZ"),
    ("Abdul", "Saboor", "GB"),
    ("Edward", "Garcia Arboleda", "ES"),
    ("Said", "Bahaji", "DE"),
    ("Oleg", "Silchenko", "PL"),
    ("Habib", "Waddani", "FR"),
    ("Innocent", "Zimurinda", "BE"),
    ("Nebojsa", "Pavkovic", "AT"),
    ("Nicola", "Zagaria", "IT"),
    ("Jaime", "Gonzales Duran", "ES"),
    ("Ahmad", "Al-Shami", "AE"),
    ("Xhevat", "Ademi", "DE"),
)
BUSINESS_NAMESAKES: tuple[tuple[str, str], ...] = (
    ("Falcon Systems Ltd", "GB"),
    ("Volga Group Trading", "DE"),
)
