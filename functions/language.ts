/** The languages that people are spoken to in: Indonesian, unless they ask for English. */
export type Language = "id" | "en";

/** The same sentence in every language. */
export type Sentence = Record<Language, string>;

const DEFAULT: Language = "id";
const isLanguage = (text: string): text is Language => text === "id" || text === "en";

/** What an `Accept-Language` header prefers most among the languages there are (RFC 9110, 12.5.4). */
export function language(acceptLanguage: string | undefined): Language {
  const wishes = (acceptLanguage ?? "").split(",").flatMap((part) => {
    const [tag = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const primary = tag.split("-")[0] ?? "";
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    return isLanguage(primary) && weight > 0 ? [{ primary, weight }] : [];
  });
  return wishes.toSorted((a, b) => b.weight - a.weight)[0]?.primary ?? DEFAULT;
}
