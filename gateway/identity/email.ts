import { domainToASCII } from "node:url";

const LENGTH_MAX = 254;
/** What has a meaning of its own in a mail's header, and what is not seen. */
const HIDDEN = /[\s<>(),:;"\\[\]\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]/u;
/** Letters of any script; dots only between others. */
const LOCAL_PART = /^(?=.{1,64}$)[^.@]+(?:\.[^.@]+)*$/u;
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/** The last label has a letter: what is all digits would be an IP address. */
const DOMAIN = new RegExp(`^(?:${LABEL}\\.)+(?=[^.]*[a-z])${LABEL}$`);
/** What DNS knows as it is: no number of another kind at its end, nothing that was encoded. */
const KNOWN_AS_IT_IS = /^(?!.*xn--)(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*$/;

/**
 * The address as accounts have it and as mail goes to it: trimmed, in lower case, composed letters
 * (NFC), the domain as DNS knows it. null: it is none. Parsed again, it stays the same.
 */
export function parseEmail(text: string): string | null {
  const whole = text.trim().toLowerCase().normalize("NFC");
  const at = whole.indexOf("@");
  if (at < 0 || whole.length > LENGTH_MAX || HIDDEN.test(whole)) return null;
  const localPart = whole.slice(0, at);
  const given = whole.slice(at + 1);
  const domain = KNOWN_AS_IT_IS.test(given) ? given : asciiOf(given);
  const email = `${localPart}@${domain}`;
  const isAddress = LOCAL_PART.test(localPart) && DOMAIN.test(domain);
  return isAddress && email.length <= LENGTH_MAX ? email : null;
}

/** It would also decode what URLs write with a percent sign. */
const asciiOf = (domain: string): string => (domain.includes("%") ? "" : domainToASCII(domain));
