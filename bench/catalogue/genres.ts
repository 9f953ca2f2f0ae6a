import type { Language } from "./places.ts";

/** A kind of event: its category, tags, usual price, and what such an event is called where. */
export interface Genre {
  readonly category: string;
  readonly tags: readonly string[];
  /** Minor units. */
  readonly price: readonly [min: number, max: number];
  readonly nouns: Readonly<Record<Language, readonly string[]>>;
}

const words = (text: string): string[] => text.split("|").map((word) => word.trim());

const genre = (
  category: string,
  tags: string,
  price: readonly [number, number],
  nouns: Readonly<Record<Language, string>>,
): Genre => ({
  category,
  tags: words(tags),
  price,
  nouns: {
    de: words(nouns.de),
    en: words(nouns.en),
    fr: words(nouns.fr),
    es: words(nouns.es),
    it: words(nouns.it),
    pl: words(nouns.pl),
    cs: words(nouns.cs),
  },
});

/** Those that there is most of come first. */
export const GENRES: readonly Genre[] = [
  genre(
    "music",
    "jazz|rock|pop|metal|folk|indie|electronic|live|blues|soul|hip hop",
    [1200, 9500],
    {
      de: "Konzert|Jazznacht|Rockabend|Liederabend|Klangreise",
      en: "Concert|Jazz Night|Rock Show|Unplugged|Live Session",
      fr: "Concert|Nuit du jazz|Soirée rock|Récital",
      es: "Concierto|Noche de jazz|Velada|Recital",
      it: "Concerto|Notte jazz|Serata rock|Recital",
      pl: "Koncert|Noc jazzu|Wieczór muzyki|Recital",
      cs: "Koncert|Jazzový večer|Rocková noc|Recitál",
    },
  ),
  genre("theatre", "drama|comedy|premiere|shakespeare|improv|puppets", [900, 7500], {
    de: "Schauspiel|Komödie|Uraufführung|Improtheater|Kammerspiel",
    en: "Play|Comedy of Errors|Premiere|Improv Night|Tragedy",
    fr: "Comédie|Drame|Première|Spectacle|Tragédie",
    es: "Comedia|Drama|Estreno|Función",
    it: "Commedia|Dramma|Prima assoluta|Spettacolo",
    pl: "Komedia|Dramat|Premiera|Spektakl",
    cs: "Komedie|Drama|Premiéra|Představení",
  }),
  genre("classical", "orchestra|chamber music|opera|choir|piano|organ", [1500, 16000], {
    de: "Sinfoniekonzert|Oper|Kammermusik|Klavierabend|Orgelkonzert",
    en: "Symphony|Opera Gala|Chamber Music|Piano Recital|Choral Evensong",
    fr: "Symphonie|Opéra|Musique de chambre|Récital de piano",
    es: "Sinfonía|Ópera|Música de cámara|Recital de piano",
    it: "Sinfonia|Opera lirica|Musica da camera|Recital pianistico",
    pl: "Symfonia|Opera|Muzyka kameralna|Recital fortepianowy",
    cs: "Symfonie|Opera|Komorní hudba|Klavírní recitál",
  }),
  genre("comedy", "stand-up|open mic|satire|cabaret", [800, 4500], {
    de: "Kabarett|Comedy-Abend|Satire|Poetry Slam",
    en: "Stand-up Night|Comedy Club|Open Mic|Satire",
    fr: "Stand-up|Café-théâtre|Cabaret",
    es: "Monólogos|Noche de humor|Cabaré",
    it: "Cabaret|Serata comica|Stand-up",
    pl: "Kabaret|Stand-up|Wieczór satyry",
    cs: "Kabaret|Stand-up|Večer satiry",
  }),
  genre("sports", "football|basketball|running|boxing|handball|final", [1000, 12000], {
    de: "Heimspiel|Pokalspiel|Stadtlauf|Boxabend",
    en: "Home Match|Cup Final|City Run|Boxing Night",
    fr: "Match|Finale de coupe|Course|Gala de boxe",
    es: "Partido|Final de copa|Carrera|Velada de boxeo",
    it: "Partita|Finale di coppa|Corsa|Serata di boxe",
    pl: "Mecz|Finał pucharu|Bieg|Gala boksu",
    cs: "Zápas|Finále poháru|Běh|Boxerský večer",
  }),
  genre("talk", "science|history|politics|books|technology", [0, 2500], {
    de: "Vortrag|Lesung|Podium|Stadtgespräch",
    en: "Talk|Reading|Panel|Lecture",
    fr: "Conférence|Lecture|Débat",
    es: "Charla|Lectura|Debate",
    it: "Conferenza|Lettura|Dibattito",
    pl: "Wykład|Czytanie|Debata",
    cs: "Přednáška|Čtení|Debata",
  }),
  genre("family", "children|puppets|circus|magic|workshop", [500, 3500], {
    de: "Kindertheater|Zirkus|Märchenstunde|Zaubershow",
    en: "Family Show|Circus|Fairy Tales|Magic Show",
    fr: "Spectacle pour enfants|Cirque|Contes|Magie",
    es: "Teatro infantil|Circo|Cuentos|Magia",
    it: "Teatro per bambini|Circo|Fiabe|Magia",
    pl: "Teatr dla dzieci|Cyrk|Bajki|Magia",
    cs: "Dětské divadlo|Cirkus|Pohádky|Kouzla",
  }),
  genre("festival", "open air|summer|camping|street food|film", [2500, 24000], {
    de: "Sommerfestival|Open Air|Filmtage|Weinfest",
    en: "Summer Festival|Open Air|Film Days|Wine Fair",
    fr: "Festival d'été|Plein air|Journées du film",
    es: "Festival de verano|Aire libre|Semana del cine",
    it: "Festival estivo|All'aperto|Giornate del cinema",
    pl: "Festiwal letni|Plener|Dni filmu",
    cs: "Letní festival|Pod širým nebem|Dny filmu",
  }),
];

export const ADJECTIVES: Readonly<Record<Language, readonly string[]>> = {
  de: words("große|lange|stille|wilde|neue|letzte|blaue|verlorene|goldene|ferne"),
  en: words("great|long|quiet|wild|new|last|blue|lost|golden|distant"),
  fr: words("grande|longue|douce|sauvage|nouvelle|dernière|bleue|perdue|dorée"),
  es: words("gran|larga|tranquila|salvaje|nueva|última|azul|perdida|dorada"),
  it: words("grande|lunga|dolce|selvaggia|nuova|ultima|azzurra|perduta|dorata"),
  pl: words("wielka|długa|cicha|dzika|nowa|ostatnia|błękitna|zagubiona|złota"),
  cs: words("velká|dlouhá|tichá|divoká|nová|poslední|modrá|ztracená|zlatá"),
};

export const SENTENCES: Readonly<Record<Language, readonly string[]>> = {
  de: words(
    `Ein Abend, der lange nachklingt.
    |Einlass eine Stunde vor Beginn.
    |Mit Pause und Bewirtung.
    |Die Kritik war begeistert.
    |Nur wenige Termine in dieser Spielzeit.`,
  ),
  en: words(
    `An evening that stays with you.
    |Doors open an hour before.
    |With an interval and a bar.
    |The critics loved it.
    |A handful of dates this season.`,
  ),
  fr: words(
    `Une soirée inoubliable.
    |Ouverture des portes une heure avant.
    |Avec entracte.
    |La critique est unanime.`,
  ),
  es: words(
    `Una noche inolvidable.
    |Apertura de puertas una hora antes.
    |Con intermedio.
    |La crítica lo celebra.`,
  ),
  it: words(
    `Una serata indimenticabile.
    |Apertura porte un'ora prima.
    |Con intervallo.
    |La critica applaude.`,
  ),
  pl: words(
    `Niezapomniany wieczór.
    |Wejście godzinę wcześniej.
    |Z przerwą.
    |Krytycy zachwyceni.`,
  ),
  cs: words(
    `Nezapomenutelný večer.
    |Vstup hodinu předem.
    |S přestávkou.
    |Kritika nadšena.`,
  ),
};
