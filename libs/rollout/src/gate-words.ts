import type { BodyCheck, Condition, Gate, StatusRange } from './policy.ts';
import type { GateState, Rollout } from './types.ts';
import { instant } from './words.ts';
import { hasEnded } from './work.ts';

const MAX_SHOWN = 200;

/** What has to be so for a gate to let through, in words. */
export function needsText(gate: Gate): string {
  switch (gate.kind) {
    case 'approval': {
      const whose = gate.groups.length > 0 ? ` of ${gate.groups.join(' or ')}` : '';
      return `${gate.count} ${gate.count === 1 ? 'approval' : 'approvals'}${whose}`;
    }
    case 'windows':
      return 'an open window';
    case 'prometheus': {
      const { query, conditions } = gate;
      const shown = query.length > MAX_SHOWN ? `${query.slice(0, MAX_SHOWN)}…` : query;
      return `${shown} ${conditionText(conditions)}${inARow(gate)}`;
    }
    case 'http':
      return `${gate.method} ${shownUrl(gate.url)} ${statusText(gate.statuses)}${bodyText(gate.body)}${inARow(gate)}`;
    case 'job':
      return gate.run === 'each' ? 'a Job that succeeds in each cluster' : 'a Job that succeeds';
  }
}

function inARow({ successes }: { successes: number }): string {
  return successes > 1 ? `, ${successes} times in a row` : '';
}

/** `>= 1 and <= 5`. */
export function conditionText(conditions: readonly Condition[]): string {
  return conditions.map(({ operator, value }) => `${operator} ${value}`).join(' and ');
}

/** Without its query: secrets are often written there. */
export function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search ? '?…' : ''}`;
}

export function statusText(statuses: readonly StatusRange[]): string {
  return statuses.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(' or ');
}

function bodyText(body: BodyCheck | null): string {
  if (!body) return '';
  const what =
    body.matches === null ? `is ${JSON.stringify(body.equals ?? null)}` : `matches ${body.matches}`;
  return ` whose ${body.json ?? 'body'} ${what}`;
}

/** How a measurement stands, for who waits for it; `from`: when it begins, where that is known. */
export function measurementText(
  gate: Gate,
  { status, last, unknownSince, bad }: GateState,
  from: number | null = null,
): string {
  const of = `"${gate.name}" (${gate.kind})`;
  const needs = `needs ${needsText(gate)}`;
  if (status === 'pending' && from !== null)
    return `${of}, which is measured from ${instant(from)} on: ${needs}`;
  if (status === 'pending') return `${of}, which is not measured yet: ${needs}`;
  if (!last)
    return `${of}: ${gate.kind === 'job' ? 'it runs' : 'the first measurement is on its way'}; ${needs}`;
  if (unknownSince !== null)
    return `${of}, which cannot be measured: ${last.detail}, since ${instant(unknownSince)}; ${needs}`;
  const tolerated = bad > 0 && 'failures' in gate ? `, ${bad} bad of ${gate.failures} tolerated` : '';
  return `${of}: now ${last.verdict}, ${last.detail} (${instant(last.at)}${tolerated}); ${needs}`;
}

/** A gate that measures now. */
export interface Measurement {
  stage: string;
  stageIndex: number;
  gate: Gate;
  round: number;
}

/** What is to be measured as long as a rollout stands as it does; results name the round. */
export function openMeasurements({ phase, stages, policy }: Rollout): Measurement[] {
  if (hasEnded(phase)) return [];
  return stages.flatMap(({ name, gates }, stageIndex) =>
    gates.flatMap(({ status, round }, i) => {
      const gate = policy.stages[stageIndex]!.gates[i]!;
      const measured = status === 'open' && gate.kind !== 'approval' && gate.kind !== 'windows';
      return measured ? [{ stage: name, stageIndex, gate, round }] : [];
    }),
  );
}
