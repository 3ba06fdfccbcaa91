import { expect, it } from 'vitest';
import { keepLive } from './ignored.ts';

const object = (spec: unknown) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec,
});

it('sends ignored fields as they are in the cluster', () => {
  const wanted = object({ replicas: 2, template: { containers: [{ image: 'a' }] } });
  const live = object({ replicas: 7, template: { containers: [{ image: 'b' }] } });
  expect(
    keepLive(wanted, live, [
      ['spec', 'replicas'],
      ['spec', 'template', 'containers', '0', 'image'],
    ]),
  ).toEqual(live);
  expect(wanted.spec).toEqual({ replicas: 2, template: { containers: [{ image: 'a' }] } });
});

it('leaves out what is ignored and not in the cluster', () => {
  expect(keepLive(object({ replicas: 2, paused: true }), object({}), [['spec', 'replicas']])).toEqual(
    object({ paused: true }),
  );
});

it('invents no parents for a field that the manifest has no place for', () => {
  expect(keepLive(object({}), object({ deep: { field: 1 } }), [['spec', 'deep', 'field']])).toEqual(
    object({}),
  );
});
