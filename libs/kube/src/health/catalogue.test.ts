import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assessHealth } from './assess.ts';
import { GROUP_SUFFIXES, GROUPS } from './catalogue/index.ts';
import { assessGeneral } from './general.ts';
import { HEALTH_ORDER } from './status.ts';

const groups = [
  ...Object.entries(GROUPS),
  ...Object.entries(GROUP_SUFFIXES).map(([end, rules]) => [`x${end}`, rules] as const),
];
const kinds = groups.flatMap(([group, rules]) =>
  Object.keys(rules).map((kind) => [group, kind === '*' ? 'Any' : kind] as const),
);

const word = fc.constantFrom('True', 'False', 'Unknown', 'Ready', 'Failed', 'Running', '', '1/2');
const condition = fc.record(
  {
    type: fc.constantFrom('Ready', 'Synced', 'Available', 'Progressing', 'Accepted', 'Healthy', 'Installed'),
    status: word,
    reason: word,
    message: word,
    observedGeneration: fc.nat(3),
  },
  { requiredKeys: ['type', 'status'] },
);
const fields = fc.dictionary(
  fc.constantFrom(
    'phase',
    'state',
    'health',
    'replicas',
    'ready',
    'observedGeneration',
    'ancestors',
    'parents',
    'paused',
  ),
  fc.oneof(word, fc.nat(3), fc.boolean(), fc.constant(null), fc.array(fc.jsonValue(), { maxLength: 2 })),
  { maxKeys: 5 },
);
const status = fc.oneof(
  fc.constant(undefined),
  fc.jsonValue(),
  fc.record({ conditions: fc.array(condition, { maxLength: 4 }) }),
  fc.tuple(fields, fc.array(condition, { maxLength: 3 })).map(([f, conditions]) => ({ ...f, conditions })),
);

describe('the catalogue', () => {
  it('has rules for the kinds of all groups', () => {
    expect(kinds.length).toBeGreaterThan(280);
  });

  it('answers any object with a status that exists, and never throws', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fields, status, ([group, kind], spec, state) => {
        const object = {
          apiVersion: `${group}/v1`,
          kind,
          metadata: { name: 'a', generation: 1 },
          spec,
          status: state,
        };
        const health = assessHealth(object);
        if (health === null) return;
        expect([...HEALTH_ORDER, '']).toContain(health.status);
        expect(typeof health.message).toBe('string');
        expect(HEALTH_ORDER).toContain(assessGeneral(object).status);
      }),
      { numRuns: 3000 },
    );
  });
});
