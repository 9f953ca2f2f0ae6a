/** Cities of the generated catalogue, large ones first, and what their venues are called. */
export interface City {
  readonly name: string;
  readonly country: string;
  readonly lat: number;
  readonly lng: number;
  readonly timezone: string;
  readonly language: Language;
  readonly currency: string;
}

export type Language = "de" | "en" | "fr" | "es" | "it" | "pl" | "cs";

const ZONES: Readonly<Record<string, readonly [zone: string, language: Language, money: string]>> =
  {
    GB: ["Europe/London", "en", "GBP"],
    IE: ["Europe/Dublin", "en", "EUR"],
    DE: ["Europe/Berlin", "de", "EUR"],
    AT: ["Europe/Vienna", "de", "EUR"],
    CH: ["Europe/Zurich", "de", "CHF"],
    FR: ["Europe/Paris", "fr", "EUR"],
    BE: ["Europe/Brussels", "fr", "EUR"],
    ES: ["Europe/Madrid", "es", "EUR"],
    IT: ["Europe/Rome", "it", "EUR"],
    PL: ["Europe/Warsaw", "pl", "PLN"],
    CZ: ["Europe/Prague", "cs", "CZK"],
    US: ["America/New_York", "en", "USD"],
    CA: ["America/Toronto", "en", "CAD"],
    AU: ["Australia/Sydney", "en", "AUD"],
    MX: ["America/Mexico_City", "es", "MXN"],
  };

const LIST = `
London GB 51.507 -0.128|New York US 40.713 -74.006|Paris FR 48.857 2.352
Berlin DE 52.520 13.405|Madrid ES 40.417 -3.704|Roma IT 41.903 12.496|Wien AT 48.208 16.374
Toronto CA 43.653 -79.383|Hamburg DE 53.551 9.994|Warszawa PL 52.230 21.012
Barcelona ES 41.387 2.168|Sydney AU -33.869 151.209|München DE 48.135 11.582
Milano IT 45.464 9.190|Praha CZ 50.075 14.438|Köln DE 50.938 6.960
Ciudad de México MX 19.433 -99.133|Chicago US 41.878 -87.630|Manchester GB 53.481 -2.242
Birmingham GB 52.486 -1.890|Lyon FR 45.764 4.836|Marseille FR 43.297 5.370
Melbourne AU -37.814 144.963|Frankfurt am Main DE 50.111 8.682|Stuttgart DE 48.776 9.183
Düsseldorf DE 51.228 6.773|Leipzig DE 51.340 12.375|Dresden DE 51.051 13.738
Zürich CH 47.377 8.541|Genève CH 46.204 6.143|Bruxelles BE 50.850 4.352|Dublin IE 53.350 -6.260
Glasgow GB 55.864 -4.252|Edinburgh GB 55.953 -3.188|Kraków PL 50.065 19.945
Wrocław PL 51.108 17.039|Gdańsk PL 54.352 18.647|Łódź PL 51.759 19.456|Sevilla ES 37.389 -5.984
Valencia ES 39.470 -0.376|Bilbao ES 43.263 -2.935|Málaga ES 36.721 -4.421
Torino IT 45.070 7.687|Napoli IT 40.852 14.268|Bologna IT 44.494 11.343
Firenze IT 43.770 11.256|Venezia IT 45.441 12.316|Palermo IT 38.116 13.361
Toulouse FR 43.605 1.444|Nantes FR 47.218 -1.554|Bordeaux FR 44.838 -0.579
Lille FR 50.629 3.057|Strasbourg FR 48.573 7.752|Nice FR 43.710 7.262|Graz AT 47.071 15.440
Linz AT 48.307 14.286|Salzburg AT 47.810 13.055|Innsbruck AT 47.269 11.404
Brno CZ 49.195 16.608|Ostrava CZ 49.835 18.292|Basel CH 47.560 7.589|Bern CH 46.948 7.447
Boston US 42.360 -71.059|Philadelphia US 39.953 -75.165|Washington US 38.907 -77.037
Atlanta US 33.749 -84.388|Miami US 25.762 -80.192|Detroit US 42.331 -83.046
Montréal CA 45.502 -73.567|Ottawa CA 45.421 -75.697|Québec CA 46.814 -71.208
Brisbane AU -27.470 153.026|Perth AU -31.953 115.857|Hannover DE 52.376 9.732
Nürnberg DE 49.452 11.077|Bremen DE 53.079 8.802|Bochum DE 51.482 7.216|Bonn DE 50.737 7.098
Münster DE 51.961 7.628|Karlsruhe DE 49.007 8.404|Mannheim DE 49.488 8.467
Freiburg DE 47.999 7.842|Lübeck DE 53.866 10.687|Rostock DE 54.092 12.099|Kiel DE 54.323 10.123
Bristol GB 51.455 -2.588|Leeds GB 53.801 -1.549|Liverpool GB 53.408 -2.992
Cardiff GB 51.482 -3.179|Belfast GB 54.597 -5.930|Brighton GB 50.823 -0.137
Cork IE 51.899 -8.476|Galway IE 53.271 -9.057|Guadalajara MX 20.660 -103.350
Monterrey MX 25.687 -100.316|Puebla MX 19.041 -98.206|Zaragoza ES 41.649 -0.889
Granada ES 37.177 -3.599|Verona IT 45.438 10.992|Bari IT 41.117 16.872|Poznań PL 52.407 16.925
Katowice PL 50.265 19.024|Plzeň CZ 49.738 13.374|Liège BE 50.633 5.580|Rennes FR 48.117 -1.678
Grenoble FR 45.188 5.724|Montpellier FR 43.611 3.877|Dijon FR 47.322 5.041
Jena DE 50.927 11.586|Weimar DE 50.980 11.330|Tübingen DE 48.522 9.057
Bayreuth DE 49.946 11.577`;

export const CITIES: readonly City[] = LIST.trim()
  .split(/[|\n]/)
  .map((line) => {
    const [, name = "", country = "", lat, lng] =
      /^(.+) ([A-Z]{2}) (\S+) (\S+)$/.exec(line.trim()) ?? [];
    const [timezone = "UTC", language = "en", currency = "EUR"] = ZONES[country] ?? [];
    return { name, country, lat: Number(lat), lng: Number(lng), timezone, language, currency };
  });

export const VENUE_NAMES: Readonly<Record<Language, readonly string[]>> = {
  de: ["Stadthalle", "Kulturhaus", "Altes Theater", "Philharmonie", "Kammerspiele", "Werkstatt"],
  en: ["Town Hall", "Playhouse", "Arena", "Corn Exchange", "Royal Theatre", "Warehouse"],
  fr: ["Théâtre municipal", "Salle Pleyel", "Zénith", "Maison de la culture", "Opéra", "Cabaret"],
  es: ["Teatro Real", "Sala Apolo", "Palacio de Congresos", "Auditorio", "Plaza Mayor", "Casa"],
  it: ["Teatro Comunale", "Auditorium", "Palazzo", "Arena", "Sala Grande", "Officina"],
  pl: ["Teatr Wielki", "Filharmonia", "Hala", "Klub", "Dom Kultury", "Spodek"],
  cs: ["Národní divadlo", "Lucerna", "Rudolfinum", "Sokolovna", "Klub", "Kulturní dům"],
};
