/** Times as people where the installation is read them. `APP_TIMEZONE` names the place. */
export type LocalTime = {
  /** `YYYY-MM-DD HH:mm:ss` */
  format: (instant: Date) => string;
  /** The first second of the local day that holds the instant. */
  startOfDay: (instant: Date) => Date;
  /** When a date (`YYYY-MM-DD`) begins, and when the next one does; equal for one that the place has left out. */
  day: (date: string) => { from: Date; to: Date };
};

/** No zone has a day longer than this, with both a clock put back and a change of offset. */
const LONGEST_DAY_SECONDS = 30 * 3600;

/** @param timeZone an IANA name, checked when the settings were read */
export function localTime(timeZone: string): LocalTime {
  let made: Intl.DateTimeFormat | undefined;
  // Made by the first answer: the tables of zones take longer to load than any module of ours.
  const formatter = () =>
    // Swedish writes dates as ISO 8601 does.
    (made ??= new Intl.DateTimeFormat("sv-SE", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    }));
  const format = (instant: Date) => formatter().format(instant);
  const dateAt = (second: number) => format(new Date(second * 1000)).slice(0, "YYYY-MM-DD".length);

  // A search needs no arithmetic with offsets, which goes wrong where a day does not begin at midnight.
  const startOfDay = (instant: Date) => {
    let today = Math.floor(instant.getTime() / 1000);
    let before = today - LONGEST_DAY_SECONDS;
    const date = dateAt(today);
    while (today - before > 1) {
      const middle = Math.floor((today + before) / 2);
      if (dateAt(middle) === date) today = middle;
      else before = middle;
    }
    return new Date(today * 1000);
  };
  // Zones are at most 14 hours ahead of UTC and 12 behind (IANA), so every place begins the date in this stretch.
  const firstSecondOf = (date: string) => {
    const midnight = Date.parse(`${date}T00:00:00Z`) / 1000;
    let before = midnight - 15 * 3600;
    let begun = midnight + 13 * 3600;
    while (begun - before > 1) {
      const middle = Math.floor((begun + before) / 2);
      if (dateAt(middle) >= date) begun = middle;
      else before = middle;
    }
    return new Date(begun * 1000);
  };
  const day = (date: string) => {
    const next = new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, "YYYY-MM-DD".length);
    return { from: firstSecondOf(date), to: firstSecondOf(next) };
  };
  return { format, startOfDay, day };
}
