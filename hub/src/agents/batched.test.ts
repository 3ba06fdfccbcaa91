import { expect, it } from 'vitest';
import { Batched } from './batched.ts';

it('does the first at once and what comes meanwhile together, in order', async () => {
  const batches: number[][] = [];
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const work = new Batched<number>((items) => gates[batches.push(items) - 1]!.promise, 3);
  const done = [1, 2, 3, 4, 5].map((item) => work.add(item));
  expect(batches).toEqual([[1]]);
  gates[0]!.resolve();
  await done[0];
  expect(batches).toEqual([[1], [2, 3, 4]]);
  gates[1]!.resolve();
  gates[2]!.resolve();
  await Promise.all(done);
  expect(batches).toEqual([[1], [2, 3, 4], [5]]);
});

it('answers each with what its batch answers', async () => {
  const work = new Batched(async (items: number[]) => items.join('+'), 3);
  await expect(Promise.all([work.add(1), work.add(2), work.add(3)])).resolves.toEqual(['1', '2+3', '2+3']);
});

it('tells those of a failed batch, and goes on', async () => {
  let fails = true;
  const work = new Batched<number>(async () => {
    if (fails) throw new Error('gone');
  }, 1);
  await expect(work.add(1)).rejects.toThrow('gone');
  fails = false;
  await expect(work.add(2)).resolves.toBeUndefined();
});
