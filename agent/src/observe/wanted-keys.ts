/** Which Applications want which objects, by key; so that an object is seen before it carries their mark. */
export class WantedKeys {
  private readonly keys = new Map<string, Set<string>>();

  /** Replaces what an Application wants; answers the keys that nobody wanted before. */
  want(application: string, keys: Iterable<string>): string[] {
    const now = new Set(keys);
    for (const [key, applications] of this.keys) {
      if (now.has(key) || !applications.delete(application)) continue;
      if (applications.size === 0) this.keys.delete(key);
    }
    const added: string[] = [];
    for (const key of now) {
      const applications = this.keys.get(key);
      if (applications) applications.add(application);
      else {
        this.keys.set(key, new Set([application]));
        added.push(key);
      }
    }
    return added;
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }

  by(key: string): Iterable<string> {
    return this.keys.get(key) ?? [];
  }
}
