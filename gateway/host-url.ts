/** Parsers of URLs in the environment: the text as it is, or undefined where it is none. */

export const url =
  (...protocols: string[]) =>
  (text: string): string | undefined =>
    URL.canParse(text) && protocols.includes(new URL(text).protocol) ? text : undefined;

/** A URL that says where: without a host, libraries ask whatever listens on this machine. */
export const hostUrl =
  (...protocols: string[]) =>
  (text: string): string | undefined => {
    const known = url(...protocols)(text);
    if (known === undefined) return undefined;
    const { hostname, searchParams } = new URL(known);
    return hostname !== "" || searchParams.get("host") ? known : undefined;
  };
