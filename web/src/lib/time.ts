const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** A span in words of at most two units: `8 s`, `3 min`, `2 h 5 min`, `4 d`. Negative spans count as none. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) {
    const minutes = Math.floor((seconds % HOUR) / MINUTE);
    return `${Math.floor(seconds / HOUR)} h${minutes > 0 ? ` ${minutes} min` : ''}`;
  }
  return `${Math.floor(seconds / DAY)} d`;
}

/** How long ago a moment (RFC 3339) was, without the word "ago". */
export function since(moment: string, now: number): string {
  return span(now - Date.parse(moment));
}

/** Date and time of day in the reader's zone, for titles and histories. */
export function exactly(moment: string): string {
  return new Date(moment).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** The time of day in the reader's zone, to the minute. */
export function clockTime(moment: string): string {
  return new Date(moment).toLocaleTimeString(undefined, { timeStyle: 'short' });
}
