import { MASK } from '@muster/kube';
import { Assignment } from '@muster/proto/records';
import { expect, it } from 'vitest';
import { readDesired } from './desired.ts';
import { FULL_POWER } from './power.ts';

const bundle = (...objects: object[]) =>
  readDesired(Buffer.from(JSON.stringify({ objects })), {
    assignment: Assignment.fromPartial({ applicationNamespace: 'argocd', applicationName: 'a' }),
    discovery: { resolve: async () => undefined } as never,
    power: FULL_POWER,
  });

it('masks what is in the Secrets of a bundle, hooks among them, in words from outside', async () => {
  const secret = (name: string, password: string, annotations = {}) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, annotations },
    stringData: { password },
  });
  const { mask } = await bundle(
    secret('a', 'hunter-one'),
    secret('b', 'hunter-two', { 'argocd.argoproj.io/hook': 'PreSync' }),
  );
  const base64 = Buffer.from('hunter-one').toString('base64');
  expect(mask(`cannot use redis://hunter-one@redis, ${base64} or hunter-two`)).toBe(
    `cannot use redis://${MASK}@redis, ${MASK} or ${MASK}`,
  );
  expect((await bundle()).mask('hunter-one')).toBe('hunter-one');
});
