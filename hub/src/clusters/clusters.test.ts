import { describe, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { boundFacts } from './facts.ts';
import { gatewayAddresses, gatewayNames } from './gateway.ts';
import { GuessLimit } from './guess-limit.ts';
import { holdingReason, needsNewConfirmation } from './holding.ts';
import { installCommand } from './install-command.ts';
import { hashJoinToken, looksLikeJoinToken, newJoinToken, sameHash, tokenProblem } from './join-token.ts';
import { connectionOf } from './lease.ts';
import { encodeRegistration } from './registration.ts';

const now = new Date('2026-11-21T12:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

describe('a lease', () => {
  it.each([
    [null, { kind: 'never' }],
    [ago(29), { kind: 'connected' }],
    [ago(30), { kind: 'connected' }],
    [ago(31), { kind: 'silent', since: ago(1) }],
  ])('last heard %s is %o', (last_seen_at, expected) => {
    expect(connectionOf({ last_seen_at, lease_seconds: 30 }, now)).toEqual(expected);
  });
});

describe('a join token', () => {
  const good = { revoked_at: null, expires_at: ago(-60), uses: 0, max_uses: 1 };
  it('is made of 256 random bits and kept as a hash', () => {
    const token = newJoinToken();
    expect(looksLikeJoinToken(token)).toBe(true);
    expect(newJoinToken()).not.toBe(token);
    expect(sameHash(hashJoinToken(token), hashJoinToken(token))).toBe(true);
    expect(sameHash(hashJoinToken(token), hashJoinToken(`${token}x`))).toBe(false);
    expect(looksLikeJoinToken(`${token}x`)).toBe(false);
  });
  it.each([
    [good, undefined],
    [{ ...good, uses: 1 }, 'used up'],
    [{ ...good, uses: 1, max_uses: 2 }, undefined],
    [{ ...good, expires_at: now }, 'expired'],
    [{ ...good, revoked_at: ago(1) }, 'revoked'],
  ])('%o: %s', (token, problem) => {
    const found = tokenProblem(token, now);
    if (problem) expect(found).toContain(problem);
    else expect(found).toBeUndefined();
  });
});

describe('guessing', () => {
  it('ends after ten wrong tokens from one address in a minute, for that address alone', () => {
    let time = 0;
    const limit = new GuessLimit(() => time);
    for (let i = 0; i < 10; i++) {
      expect(limit.allows('a')).toBe(true);
      limit.failed('a');
    }
    expect(limit.allows('a')).toBe(false);
    expect(limit.allows('b')).toBe(true);
    time = 60_000;
    expect(limit.allows('a')).toBe(true);
  });
  it('ends for everyone after three hundred from many addresses', () => {
    const limit = new GuessLimit(() => 0);
    for (let i = 0; i < 300; i++) limit.failed(`address ${i}`);
    expect(limit.allows('another')).toBe(false);
  });
});

describe('holding back', () => {
  const calm = { recovering: false };
  it('is for recovery first, then for the state of the cluster', () => {
    expect(holdingReason({ state: 'active', removal_held_at: null }, calm)).toBeUndefined();
    expect(holdingReason({ state: 'removing', removal_held_at: null }, calm)).toBeUndefined();
    expect(holdingReason({ state: 'removing', removal_held_at: now }, calm)).toContain('new confirmation');
    expect(holdingReason({ state: 'recovered', removal_held_at: null }, calm)).toContain('approval');
    expect(
      holdingReason({ state: 'active', removal_held_at: null }, { recovering: true, reason: 'x' }),
    ).toContain('recovery: x');
  });
  it('asks again before a cluster is uninstalled that was silent for more than a day', () => {
    const lost = {
      state: 'removing',
      remove_mode: 'uninstall',
      last_seen_at: ago(90_000),
      removal_requested_at: ago(90_000),
      removal_held_at: null,
    } as const;
    expect(needsNewConfirmation(lost, now)).toBe(true);
    expect(needsNewConfirmation({ ...lost, last_seen_at: ago(60) }, now)).toBe(false);
    expect(needsNewConfirmation({ ...lost, removal_requested_at: ago(60) }, now)).toBe(false);
    expect(needsNewConfirmation({ ...lost, remove_mode: 'keep' }, now)).toBe(false);
  });
});

describe('the install command', () => {
  const facts = {
    token: 'mjt_x',
    gateway: 'hub.example.org:7443',
    enrol: 'hub.example.org:7444',
    caSha256: 'ab',
    chartVersion: '0.1.0',
  };
  it('names what the agent needs, and the chart that the hub serves', () => {
    const { command } = installCommand({
      ...facts,
      publicUrl: 'https://hub.example.org/',
      gatewayIsExternal: true,
    });
    expect(command).toContain(
      'helm install muster-agent https://hub.example.org/charts/muster-agent-0.1.0.tgz',
    );
    expect(command).toContain('--set-string hub.caSha256=ab');
    expect(command).toContain('--set-string token=mjt_x');
  });
  it('is not given while the gateway has no address', () => {
    const install = installCommand({ ...facts, publicUrl: 'https://h', gatewayIsExternal: false });
    expect(install).toMatchObject({ missing: ['MUSTER_GATEWAY_ADDRESS'] });
    expect(install.command).toBeUndefined();
  });
});

describe('the gateway', () => {
  it('is dialled at its address, or where the hub listens; its certificate names both', () => {
    const local = readConfig({ MUSTER_GATEWAY_HOST: '0.0.0.0', MUSTER_SESSION_PORT: '0' });
    expect(gatewayAddresses(local, { session: '0.0.0.0:5001', enrol: '0.0.0.0:5002' })).toEqual({
      gateway: 'localhost:5001',
      enrol: 'localhost:5002',
      external: false,
    });
    expect(gatewayNames(local)).toEqual(['localhost', '127.0.0.1']);
    const set = readConfig({
      MUSTER_GATEWAY_ADDRESS: 'muster.example.org:443',
      MUSTER_GATEWAY_HOST: '10.0.0.1',
    });
    expect(gatewayAddresses(set, {})).toEqual({
      gateway: 'muster.example.org:443',
      enrol: 'muster.example.org:444',
      external: true,
    });
    expect(gatewayNames(set)).toEqual(['muster.example.org', '10.0.0.1', 'localhost', '127.0.0.1']);
  });
});

describe('what a cluster says of itself', () => {
  it('is cut to bounds and stripped of control characters', () => {
    const facts = boundFacts({
      kubernetesVersion: 'v1\u0000.34',
      apiVersions: ['v1', 'apps/v1'],
      nodeCount: 3,
      agentVersion: 'x'.repeat(999),
      platform: '',
      namespaces: [],
      limits: undefined,
    });
    expect(facts).toMatchObject({ kubernetesVersion: 'v1.34', apiVersions: ['apps/v1', 'v1'] });
    expect(facts.agentVersion).toHaveLength(128);
  });
  it('is registered in the same bytes whatever the order of its labels', () => {
    const row = {
      id: 'i',
      name: 'n',
      server: 's',
      annotations: {},
      local: false,
      kube_system_uid: null,
      registration_revision: 1n,
    };
    const bytes = (labels: Record<string, string>) =>
      Buffer.from(encodeRegistration({ ...row, labels }, 'hub')).toString('hex');
    expect(bytes({ a: '1', b: '2' })).toBe(bytes({ b: '2', a: '1' }));
  });
});
