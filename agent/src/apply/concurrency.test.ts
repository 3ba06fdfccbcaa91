import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { eachOf } from './concurrency.ts';

it('never runs more at once than allowed, and all of it', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await eachOf([...Array(20).keys()], 3, async (item) => {
    most = Math.max(most, ++running);
    await turn();
    running--;
    done.push(item);
  });
  expect(most).toBe(3);
  expect(done.length).toBe(20);
});

it('waits for what is under way before it rejects', async () => {
  let ended = 0;
  const work = eachOf([0, 1, 2, 3], 2, async (item) => {
    if (item === 0) throw new Error('first');
    await turn();
    ended++;
  });
  await expect(work).rejects.toThrow('first');
  expect(ended).toBe(1);
});
