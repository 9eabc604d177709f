/** Half a surrogate pair is no text for the database, and a stranger's text may have one. */
export const wellFormed = (text: string) => text.replaceAll(/\p{Surrogate}/gu, "\ufffd");

/** JSON that the database takes. */
export const toJson = (value: unknown) =>
  JSON.stringify(value, (_name, inner: unknown) => (typeof inner === "string" ? wellFormed(inner) : inner));
