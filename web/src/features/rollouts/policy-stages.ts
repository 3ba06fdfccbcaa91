import type { RolloutPolicyView } from '@muster/api';

/** A stage of a RolloutPolicy in words, as far as its manifest says something. */
export interface PolicyStage {
  name: string;
  /** Whom it takes, and how. */
  says: string[];
  gates: string[];
}

type Fields = Record<string, unknown>;

/** Reads the stages of a manifest with care: it is what somebody wrote. */
export function policyStages({
  manifest,
  stages,
}: Pick<RolloutPolicyView, 'manifest' | 'stages'>): PolicyStage[] {
  const spec = fieldsOf(manifest?.['spec']);
  const defaults = fieldsOf(spec['defaults']);
  const written = Array.isArray(spec['stages']) ? spec['stages'].map(fieldsOf) : [];
  if (written.length === 0) return stages.map((name) => ({ name, says: [], gates: [] }));
  return written.map((stage, i) => {
    const { name, gates, ...own } = stage;
    return {
      name: typeof name === 'string' ? name : (stages[i] ?? `stage ${i + 1}`),
      says: settingsOf({ ...defaults, ...own }),
      gates: Array.isArray(gates) ? gates.map((gate) => gateOf(fieldsOf(gate))) : [],
    };
  });
}

/** A manifest in the order in which people write one: the database keeps none. */
export function inOrder(manifest: Fields = {}): Fields {
  const { apiVersion, kind, metadata, spec, ...rest } = manifest;
  return { apiVersion, kind, metadata, spec, ...rest };
}

function settingsOf(stage: Fields): string[] {
  const {
    clusters,
    applications,
    take,
    maxConcurrent,
    soak,
    deadline,
    failureBudget,
    onFailure,
    production,
  } = stage;
  return [
    selected('clusters', clusters),
    selected('Applications', applications),
    take === undefined ? '' : `takes ${takenOf(take)}`,
    maxConcurrent === undefined ? '' : `${text(maxConcurrent)} at once`,
    soak === undefined ? '' : `soaks ${text(soak)}`,
    deadline === undefined ? '' : `healthy within ${text(deadline)}`,
    failureBudget === undefined ? '' : `${text(failureBudget)} may fail`,
    onFailure === undefined ? '' : `on failure: ${text(onFailure)}`,
    production === true ? 'production' : '',
  ].filter((each) => each !== '');
}

function selected(what: string, selector: unknown): string {
  const { matchLabels, matchExpressions } = fieldsOf(selector);
  const labels = Object.entries(fieldsOf(matchLabels)).map(([key, value]) => `${key}=${text(value)}`);
  const more = (Array.isArray(matchExpressions) ? matchExpressions.map(fieldsOf) : []).map(
    ({ key, operator, values }) =>
      [key, operator, Array.isArray(values) ? `(${values.map(text).join(', ')})` : '']
        .map(text)
        .join(' ')
        .trim(),
  );
  const all = [...labels, ...more];
  return all.length > 0 ? `${what} ${all.join(', ')}` : '';
}

function takenOf(take: unknown): string {
  const { amount, per } = fieldsOf(take);
  if (amount === undefined) return text(take);
  return per === undefined ? text(amount) : `${text(amount)} per ${text(per)}`;
}

const KINDS = ['approval', 'windows', 'prometheus', 'http', 'job'];

function gateOf(gate: Fields): string {
  const kind = KINDS.find((each) => gate[each] !== undefined) ?? 'check';
  const { count, groups } = fieldsOf(gate['approval']);
  const asks =
    kind === 'approval'
      ? `approval by ${count === undefined ? 1 : text(count)}${Array.isArray(groups) ? ` of ${groups.map(text).join(' or ')}` : ''}`
      : kind;
  return [`${text(gate['name'])}: ${asks}`, gate['at'] === undefined ? '' : `at its ${text(gate['at'])}`]
    .filter(Boolean)
    .join(', ');
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? '' : JSON.stringify(value);
}
