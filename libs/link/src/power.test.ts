import { describe, expect, it } from 'vitest';
import {
  PRESETS,
  VERBS,
  accepts,
  commandRefusal,
  describeAccepted,
  observesOnly,
  parseVerbs,
} from './power.ts';

describe('the verbs of a setting', () => {
  it.each(['', 'all', 'observe-only,all', Object.keys(VERBS).join(',')])(
    '"%s" accepts everything',
    (text) => {
      expect(parseVerbs(text)).toBeUndefined();
    },
  );

  it('presets and verbs add up, and a minus takes away', () => {
    expect([...parseVerbs('observe-only, sync ,apply,-logs')!]).toEqual([
      'refresh',
      'diff',
      'inspect',
      'sync',
      'apply',
    ]);
    expect(accepts(parseVerbs('-prune'), 'prune')).toBe(false);
    expect(accepts(parseVerbs('-prune'), 'heal')).toBe(true);
  });

  it('what takes deletes away keeps what writes', () => {
    const accepted = parseVerbs('no-delete');
    for (const verb of ['prune', 'recreate', 'uninstall', 'delete', 'confirm'] as const)
      expect(accepts(accepted, verb)).toBe(false);
    for (const verb of ['apply', 'heal', 'orphan', 'sync', 'restart'] as const)
      expect(accepts(accepted, verb)).toBe(true);
  });

  it.each([
    ['aply', '"aply" is no verb and no preset'],
    ['toString', '"toString" is no verb and no preset'],
    ['all,-all', 'accepts nothing'],
  ])('"%s" is refused', (text, message) => {
    expect(() => parseVerbs(text)).toThrow(message);
  });

  it('is shown by the shortest name that says the same', () => {
    expect(describeAccepted(parseVerbs('logs,inspect,diff,refresh'))).toBe('observe-only');
    expect(describeAccepted(parseVerbs('refresh,diff'))).toBe('refresh, diff');
    expect(describeAccepted(undefined)).toBe('all');
  });

  it('observing only is any set that changes nothing', () => {
    expect(observesOnly(parseVerbs('observe-only'))).toBe(true);
    expect(observesOnly(parseVerbs('refresh'))).toBe(true);
    expect(observesOnly(parseVerbs('observe-only,orphan'))).toBe(false);
    expect(observesOnly(undefined)).toBe(false);
    // Whatever is added later: a verb that nobody called reading is one that writes.
    expect(
      Object.keys(VERBS)
        .filter((verb) => observesOnly(new Set([verb])))
        .sort(),
    ).toEqual([...PRESETS['observe-only']!].sort());
  });
});

describe('a command', () => {
  const observing = parseVerbs('observe-only');

  it('that reads is carried out by an agent that observes only, and one that writes is not', () => {
    for (const command of ['refresh', 'diff']) expect(commandRefusal(observing, command)).toBeUndefined();
    for (const command of ['sync', 'terminate', 'confirm'])
      expect(commandRefusal(observing, command)).toContain(
        `does not accept ${command}: it is set to observe-only`,
      );
  });

  it('that only tries a sync is a diff', () => {
    expect(commandRefusal(observing, 'sync', { dryRun: true })).toBeUndefined();
    expect(commandRefusal(parseVerbs('-diff'), 'sync', { dryRun: true })).toContain('does not accept diff');
    expect(commandRefusal(parseVerbs('-apply'), 'sync')).toContain('does not accept apply');
  });

  it('that nobody knows is refused by a limited agent only', () => {
    expect(commandRefusal(parseVerbs('-prune'), 'explode')).toContain('does not accept explode');
    expect(commandRefusal(undefined, 'explode')).toBeUndefined();
  });
});
