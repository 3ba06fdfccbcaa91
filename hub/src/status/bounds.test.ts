import { ApplicationStatus } from '@muster/proto';
import { describe, expect, it } from 'vitest';
import { boundStatus } from './bounds.ts';

const now = new Date('2026-11-21T12:00:00Z');
const bound = (status: object) => boundStatus(ApplicationStatus.fromPartial(status), now);

describe('a reported status', () => {
  it('keeps the words of Argo CD and turns others into Unknown', () => {
    expect(bound({ sync: 'Synced', health: 'Degraded' })).toMatchObject({
      sync: 'Synced',
      health: 'Degraded',
    });
    expect(bound({ sync: 'Fine', health: '<b>' })).toMatchObject({ sync: 'Unknown', health: 'Unknown' });
  });

  it('never claims to come from the future', () => {
    const later = BigInt(now.getTime() + 3_600_000);
    expect(bound({ observedAtMs: later, appliedAtMs: later })).toMatchObject({
      observedAt: now,
      appliedAt: now,
    });
    expect(bound({ observedAtMs: 5n }).observedAt).toEqual(new Date(5));
  });

  it('is cut to what the hub keeps, without NUL', () => {
    const status = bound({
      healthMessage: `a\0b${'x'.repeat(10_000)}`,
      bundleDigest: 'no digest',
      conditions: Array.from({ length: 99 }, () => ({ type: 'SyncError', message: 'm'.repeat(9999) })),
      resources: [
        {
          kind: 'Secret',
          name: 's',
          foreign: { tool: 'argocd', by: 'b'.repeat(5000), adopting: true },
          drift: { fields: [{ path: '/data', expected: 'e'.repeat(5000), actual: '' }] },
        },
      ],
    });
    expect(status.healthMessage.startsWith('abx')).toBe(true);
    expect(status.healthMessage.length).toBeLessThanOrEqual(4096);
    expect(status.bundleDigest).toBe('');
    expect(status.conditions).toHaveLength(50);
    expect(status.conditions[0]!.message).toHaveLength(4096);
    expect(status.resources['/Secret//s']!.foreign).toEqual({
      tool: 'argocd',
      by: `${'b'.repeat(316)}…`,
      adopting: true,
    });
    expect(status.resources['/Secret//s']!.drift!.fields[0]!.expected).toHaveLength(1024);
  });

  it('says how far an operation is, within bounds', () => {
    const many = Array.from({ length: 99 }, (_, i) => ({ kind: 'Job', name: `j${i}`, health: 'fine' }));
    const inAnHour = BigInt(now.getTime() + 3_600_000);
    const running = { phase: 'Running', step: 'PreSync', wave: -1, deadlineMs: inAnHour };
    const { operation } = bound({
      operation: {
        ...running,
        waitsFor: many,
        waitsForTotal: 200,
        hooks: many.map(({ kind, name }) => ({ kind, name, step: 'PreSync', status: 'Running' })),
        nextTry: { attempt: 2, limit: -1, atMs: inAnHour },
      },
    });
    expect(operation).toMatchObject({
      step: 'PreSync',
      wave: -1,
      deadline: '2026-11-21T13:00:00.000Z',
      waitsForTotal: 200,
      nextTry: { attempt: 2, at: '2026-11-21T13:00:00.000Z' },
    });
    expect(operation!.nextTry).not.toHaveProperty('limit');
    expect(operation!.waitsFor).toHaveLength(20);
    expect(operation!.waitsFor![0]).toEqual({
      group: '',
      kind: 'Job',
      namespace: '',
      name: 'j0',
      health: 'Unknown',
    });
    expect(operation!.hooks).toHaveLength(50);
    expect(bound({ operation: { phase: 'Succeeded' } }).operation).toEqual({
      phase: 'Succeeded',
      message: '',
    });
  });
});
