import { afterAll, expect, it } from 'vitest';
import { Jq } from './jq.ts';

const jq = new Jq();
afterAll(() => jq.close());

const object = {
  spec: {
    containers: [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'y' },
    ],
  },
};

it('answers the paths that a program names', async () => {
  expect(await jq.paths('.spec.containers[] | select(.name == "b") | .image', object)).toEqual([
    ['spec', 'containers', 1, 'image'],
  ]);
  expect(await jq.paths('.spec.nothing[]?', object)).toEqual([]);
  expect(await jq.paths('def f: .spec; f.replicas # as written', object)).toEqual([['spec', 'replicas']]);
});

it('says what is wrong with a program', async () => {
  await expect(jq.paths('.spec.containers[', object)).rejects.toThrow(/syntax error/);
  await expect(jq.paths('.spec.containers.name', object)).rejects.toThrow(/Cannot index array/);
});

it('ends a program that never ends or eats memory, and runs the next', async () => {
  const hurried = new Jq({ timeoutMs: 200 });
  await hurried.paths('.spec', object);
  await expect(hurried.paths('def f: f; f', object)).rejects.toMatchObject({ code: 'limit' });
  expect(await hurried.paths('.spec', object)).toEqual([['spec']]);
  await expect(hurried.paths('[range(100000000)] | length | .spec', object)).rejects.toThrow();
  expect(await hurried.paths('.spec', object)).toEqual([['spec']]);
  await hurried.close();
});
