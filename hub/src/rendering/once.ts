/** `read`, but once for the same arguments; what it throws is thrown for each of them. */
export function once<Of extends string[], Found>(
  read: (...of: Of) => Promise<Found>,
): (...of: Of) => Promise<Found> {
  const known = new Map<string, Promise<Found>>();
  return (...of) => {
    const key = of.join(' ');
    let found = known.get(key);
    if (!found) known.set(key, (found = read(...of)));
    return found;
  };
}
