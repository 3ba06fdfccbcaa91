const STEP = /\.([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]/y;
const MAX_STEPS = 32;

/** Steps of a path such as `$.checks[0]['a.b'].ok`; undefined: it is none. No wildcards: one place only. */
export function parseJsonPath(path: string): (string | number)[] | undefined {
  if (!path.startsWith('$')) return undefined;
  const steps: (string | number)[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < path.length) {
    const found = STEP.exec(path);
    if (!found || steps.length === MAX_STEPS) return undefined;
    steps.push(found[2] === undefined ? (found[1] ?? found[3] ?? found[4])! : Number(found[2]));
  }
  return steps;
}

/** What is there; undefined: nothing. */
export function atJsonPath(document: unknown, path: string): unknown {
  let at = document;
  for (const step of parseJsonPath(path) ?? []) {
    const inside = typeof step === 'number' ? Array.isArray(at) : typeof at === 'object' && at !== null;
    if (!inside || !Object.hasOwn(at as object, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}
