/** A resource as the agent reported it (the hub's public shape is open, so it is read with care). */
export interface ResourceRow {
  key: string;
  kind: string;
  namespace: string;
  name: string;
  sync: string;
  health?: string;
  message?: string;
  requiresPruning: boolean;
  /** Another tool tracks it: 'foreign', 'to be adopted' or 'shared'. */
  foreign?: string;
  drift?: Drift;
}

export interface Drift {
  fields: { path: string; expected: string; actual: string }[];
  deleted: boolean;
  /** Whose change it is, in words. */
  cause?: string;
  /** Who wrote it last, as the API server noted, and when. */
  manager?: string;
  at?: string;
  detectedAt?: string;
  healedAt?: string;
}

/** One line of the drift table. */
export interface DriftRow {
  resource: string;
  field: string;
  expected: string;
  actual: string;
  cause?: string;
  by?: string;
  at?: string;
  healedAt?: string;
}

/** Reads resources; those out of sync first, then the unhealthy, then by name. */
export function readResources(given: readonly Record<string, unknown>[]): ResourceRow[] {
  return given
    .map((each) => readResource(each))
    .sort((a, b) => rank(a) - rank(b) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Every differing field of every resource; a deleted resource is one line. */
export function driftRows(resources: readonly ResourceRow[]): DriftRow[] {
  return resources.flatMap(({ kind, namespace, name, drift }) => {
    if (!drift) return [];
    const common = {
      resource: `${kind} ${namespace ? `${namespace}/` : ''}${name}`,
      ...(drift.cause && { cause: drift.cause }),
      ...(drift.manager && { by: drift.manager }),
      ...((drift.at ?? drift.detectedAt) && { at: drift.at ?? drift.detectedAt }),
      ...(drift.healedAt && { healedAt: drift.healedAt }),
    };
    if (drift.deleted) return [{ ...common, field: '', expected: 'present', actual: 'deleted' }];
    return drift.fields.map(({ path, expected, actual }) => ({
      ...common,
      field: path,
      expected: expected === '' ? '(absent)' : expected,
      actual: actual === '' ? '(absent)' : actual,
    }));
  });
}

function readResource(given: Record<string, unknown>): ResourceRow {
  const drift = given['drift'];
  return {
    key: text(given['key']),
    kind: text(given['kind']),
    namespace: text(given['namespace']),
    name: text(given['name']),
    sync: text(given['sync']) || 'Unknown',
    ...(given['health'] ? { health: text(given['health']) } : {}),
    ...(given['message'] ? { message: text(given['message']) } : {}),
    requiresPruning: given['requiresPruning'] === true,
    ...(isObject(given['foreign']) ? { foreign: foreignWord(given['foreign']) } : {}),
    ...(isObject(drift) ? { drift: readDrift(drift) } : {}),
  };
}

function foreignWord(given: Record<string, unknown>): string {
  if (given['shared'] === true) return 'shared';
  return given['adopting'] === true ? 'to be adopted' : 'foreign';
}

function readDrift(given: Record<string, unknown>): Drift {
  const fields = Array.isArray(given['fields']) ? given['fields'].filter(isObject) : [];
  return {
    fields: fields.map((field) => ({
      path: text(field['path']),
      expected: text(field['expected']),
      actual: text(field['actual']),
    })),
    deleted: given['deleted'] === true,
    ...causeOf(given['class']),
    ...(given['manager'] ? { manager: text(given['manager']) } : {}),
    ...moment('at', given['timeMs']),
    ...moment('detectedAt', given['detectedAtMs']),
    ...moment('healedAt', given['healedAtMs']),
  };
}

const CAUSES: Record<string, string> = {
  person: 'changed by a person',
  controller: 'changed by a controller',
  pending: 'waits for its sync',
};

function causeOf(word: unknown): { cause?: string } {
  const cause = typeof word === 'string' ? CAUSES[word] : undefined;
  return cause ? { cause } : {};
}

function rank({ sync, health, requiresPruning }: ResourceRow): number {
  if (sync !== 'Synced' || requiresPruning) return 0;
  return health !== undefined && health !== 'Healthy' ? 1 : 2;
}

function moment<K extends string>(name: K, milliseconds: unknown): Partial<Record<K, string>> {
  if (typeof milliseconds !== 'number' || milliseconds <= 0) return {};
  return { [name]: new Date(milliseconds).toISOString() } as Partial<Record<K, string>>;
}

function text(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? ''
      : JSON.stringify(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
