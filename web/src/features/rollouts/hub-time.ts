const MINUTE = 60;
const HOUR = 3600;

/** By how many milliseconds the hub's clock is ahead of this one: what it said, and when that was read. */
export function hubOffset(hubNow: string, readAt: number): number {
  const said = Date.parse(hubNow);
  return Number.isNaN(said) ? 0 : said - readAt;
}

/** What is left until a moment, to the second in its last hour: `0:07`, `12:30`, `2 h 5 min`, `3 d`; undefined: it has come. */
export function left(until: string, now: number): string | undefined {
  const seconds = Math.ceil((Date.parse(until) - now) / 1000);
  if (!(seconds > 0)) return undefined;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}:${String(seconds % MINUTE).padStart(2, '0')}`;
  const hours = Math.floor(seconds / HOUR);
  if (hours >= 48) return `${Math.floor(hours / 24)} d`;
  const minutes = Math.floor((seconds % HOUR) / MINUTE);
  return `${hours} h${minutes > 0 ? ` ${minutes} min` : ''}`;
}

/** Seconds of a policy in words: `30 s`, `10 min`, `1 h 30 min`. */
export function lasting(seconds: number): string {
  const parts = [
    [Math.floor(seconds / HOUR), 'h'],
    [Math.floor((seconds % HOUR) / MINUTE), 'min'],
    [Math.floor(seconds % MINUTE), 's'],
  ] as const;
  return (
    parts
      .filter(([count]) => count > 0)
      .map(([count, unit]) => `${count} ${unit}`)
      .join(' ') || '0 s'
  );
}

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** A sentence of the hub with its instants (UTC) as the reader's own time of day; of another day, with the date. */
export function inLocalTime(text: string, now: number): string {
  const today = new Date(now).toDateString();
  return text.replace(INSTANT, (found) => {
    const at = new Date(found);
    if (at.toDateString() === today) return at.toLocaleTimeString(undefined, { timeStyle: 'medium' });
    return at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  });
}
