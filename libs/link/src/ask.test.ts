import { generateKeyPairSync } from 'node:crypto';
import { Ask, KeySet, KeyUse, type Signed } from '@muster/proto/records';
import { expect, test } from 'vitest';
import { type AgentEffect, AgentLink } from './agent-link.ts';
import { payloadSha256, rawPublicKey, signRecord } from './envelope.ts';
import { HubSession } from './hub-session.ts';

const newKey = () => generateKeyPairSync('ed25519').privateKey;
const keys = { root: newKey(), commands: newKey(), assignments: newKey() };
const hub = { hubId: 'hub', clusterId: 'cluster', rootPublicKey: rawPublicKey(keys.root) };
const keySet = signRecord(
  'muster.keyset.v1',
  KeySet.encode({
    hubId: 'hub',
    version: 1n,
    keys: [
      { id: 'c1', use: KeyUse.COMMAND, publicKey: rawPublicKey(keys.commands) },
      { id: 'a1', use: KeyUse.ASSIGNMENT, publicKey: rawPublicKey(keys.assignments) },
    ],
  }).finish(),
  keys.root,
  'root',
);

const NOW = 1_000_000;
const asked = (more: Partial<Ask> = {}) =>
  Ask.encode(
    Ask.fromPartial({
      hubId: 'hub',
      clusterId: 'cluster',
      id: 'ask-1',
      epoch: 1n,
      expiresAtMs: BigInt(NOW + 1_000),
      query: { $case: 'tree', value: {} },
      ...more,
    } as never),
  ).finish();
const signed = (more: Partial<Ask> = {}) => signRecord('muster.ask.v1', asked(more), keys.commands, 'c1');

function received(value: Signed): AgentEffect[] {
  const memory = { keySet, held: [], gone: new Map(), commands: [] };
  const link = new AgentLink(hub, memory, 'instance', NOW, () => []);
  return link.handle({ kind: 'received', message: { $case: 'ask', value }, nowMs: NOW });
}

test('an ask that verifies is answered, and kept nowhere', () => {
  expect(received(signed())).toMatchObject([{ kind: 'ask', ask: { id: 'ask-1', query: { $case: 'tree' } } }]);
});

test.each([
  [
    'signed by an assignment key',
    signRecord('muster.ask.v1', asked(), keys.assignments, 'a1'),
    /not in key set/,
  ],
  ['signed as a command', signRecord('muster.command.v1', asked(), keys.commands, 'c1'), /does not match/],
  ['altered', { ...signed(), payload: Buffer.from(asked({ id: 'another' })) }, /does not match/],
  ['of another hub', signed({ hubId: 'other' }), /of another hub/],
  ['for another cluster', signed({ clusterId: 'other' }), /for another cluster/],
  ['too late', signed({ expiresAtMs: BigInt(NOW) }), /after its expiry/],
  ['of a newer hub', signed({ query: undefined }), /older than the hub/],
])('an ask %s is refused, named by its bytes', (_what, value, reason) => {
  expect(received(value)).toMatchObject([
    { kind: 'refused', what: 'ask', reason: expect.stringMatching(reason) },
    {
      kind: 'send',
      message: {
        $case: 'askRefused',
        value: { payloadSha256: payloadSha256(value), reason: expect.stringMatching(reason) },
      },
    },
  ]);
});

test('the hub sends an ask once, cancels it, and hears of a refusal', () => {
  const machine = new HubSession();
  const ask = signed();
  expect(machine.handle({ kind: 'ask', signed: ask })).toEqual([
    { kind: 'send', message: { $case: 'ask', value: ask } },
  ]);
  expect(machine.handle({ kind: 'ask-cancel', id: 'ask-1' })).toEqual([
    { kind: 'send', message: { $case: 'askCancel', value: { askId: 'ask-1' } } },
  ]);
  const refused = { payloadSha256: payloadSha256(ask), reason: 'no' };
  expect(
    machine.handle({ kind: 'received', message: { $case: 'askRefused', value: refused }, nowMs: NOW }),
  ).toEqual([{ kind: 'ask-refused', refused }]);
});
