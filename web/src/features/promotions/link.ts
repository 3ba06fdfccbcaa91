/** An address of a Git host, when a browser may be led there: nothing but http and https. */
export function webAddress(url: string): string | undefined {
  return /^https?:\/\//i.test(url) ? url : undefined;
}
