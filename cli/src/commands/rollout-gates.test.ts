import { expect, test } from 'vitest';
import type { Context } from '../host.ts';
import { type GateOfStage, gateTable, measurementLines, missingApprovals } from './rollout-gates.ts';

const now = Date.parse('2026-11-01T12:00:00Z');
const context = { now: () => now, terminal: { colour: false } } as Context;
const AT = '2026-11-01T11:00:00.000Z';

const gate = (name: string, change: Partial<GateOfStage> = {}): GateOfStage => ({
  name,
  stage: 'canary',
  kind: 'prometheus',
  at: 'end',
  status: 'open',
  since: AT,
  asks: 'q <= 1',
  approvals: [],
  bad: 0,
  ...change,
});
const result = (verdict: 'ok' | 'bad' | 'unknown', detail: string) => ({ verdict, detail, at: AT });
const rows = (...gates: GateOfStage[]) =>
  gateTable(gates, context)
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/).map((cell) => cell.trim()));

test('a gate says how far it is, who measures it and what that came to', () => {
  expect(
    rows(
      gate('a', { by: 'clusters', last: result('bad', 'eu: 7, not <= 1') }),
      gate('b', { by: 'hub', unknownSince: AT, last: result('unknown', 'no data') }),
      // It was not known when it failed; that is over.
      gate('c', { status: 'failed', unknownSince: AT }),
      gate('d', { status: 'pending' }),
      gate('later', { status: 'pending', measuredFrom: '2026-11-01T12:06:30.000Z' }),
      gate('e', { status: 'pending', over: 'never-reached' }),
      gate('f', { status: 'pending', over: 'undecided' }),
      gate('g', {
        kind: 'approval',
        count: 2,
        asks: '2 approvals',
        approvals: [{ actor: 'ann', at: AT, reason: 'tested' }],
      }),
    ),
  ).toEqual([
    ['a', 'canary', 'open', 'clusters', 'bad: eu: 7, not <= 1', '60m ago', 'q <= 1'],
    ['b', 'canary', 'not measurable for 60m', 'hub', 'unknown: no data', '60m ago', 'q <= 1'],
    ['c', 'canary', 'failed', '-', '-', '-', 'q <= 1'],
    ['d', 'canary', 'not asked yet', '-', '-', '-', 'q <= 1'],
    ['later', 'canary', 'measured from 12:06 UTC', '-', '-', '-', 'q <= 1'],
    ['e', 'canary', 'never reached', '-', '-', '-', 'q <= 1'],
    ['f', 'canary', 'not decided', '-', '-', '-', 'q <= 1'],
    ['g', 'canary', '1 of 2 approved', '-', 'approved by ann: tested', '-', '2 approvals'],
  ]);
});

test('the newest measurements come first; a hub that tells none is no trouble', () => {
  const recent = [result('ok', '0'), result('bad', '7\u001b[31m, not <= 1')];
  expect(measurementLines([gate('a', { by: 'hub', recent }), gate('b')], context)).toEqual([
    '',
    'Measured by the hub for "a" of stage canary (needs q <= 1):',
    '  60m ago  bad: 7 [31m, not <= 1',
    '  60m ago  ok: 0',
  ]);
});

test('who approves is told what is still missing', () => {
  const waits = (what: string, text: string) => ({ what, text, who: [], count: 1, since: AT });
  expect(
    missingApprovals({ waitingFor: [waits('approval', '1 approval at "go"'), waits('soak', 'x')] }),
  ).toEqual(['waits for 1 approval at "go"']);
});
