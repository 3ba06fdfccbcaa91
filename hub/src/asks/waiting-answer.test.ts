import { MusterError } from '@muster/base';
import { AnswerRequest } from '@muster/proto';
import { expect, test } from 'vitest';
import { MAX_WAITING } from './ask.ts';
import { WaitingAnswer } from './waiting-answer.ts';

const piece = (text: string) => AnswerRequest.fromPartial({ data: Buffer.from(text) });
const end = (more = {}) =>
  AnswerRequest.fromPartial({ end: { code: '', message: '', hint: '', cut: '', ...more } });
const silent = (withinMs = 60_000) => ({ withinMs, error: () => new MusterError('unavailable', 'silent') });
const going = () => new AbortController().signal;

async function all(reading: AsyncGenerator<Buffer, { cut: string }, undefined>) {
  const texts: string[] = [];
  for (;;) {
    const next = await reading.next();
    if (next.done) return { texts, ...next.value };
    texts.push(next.value.toString());
  }
}

test('pieces are told in order, and then why they ended', async () => {
  const answer = new WaitingAnswer(100);
  const told = all(answer.read(silent(), going()));
  await answer.put(piece('a'));
  await answer.put(piece('b'));
  await answer.put(end({ cut: 'enough' }));
  expect(await told).toEqual({ texts: ['a', 'b'], cut: 'enough' });
  await expect(answer.put(piece('late'))).rejects.toMatchObject({ code: 'not-found' });
});

test('who brings waits while nobody reads', async () => {
  const answer = new WaitingAnswer(1_000);
  let brought = 0;
  const bringing = (async () => {
    for (; brought < 30; brought++) await answer.put(piece('x'));
    await answer.put(end());
  })();
  await new Promise(setImmediate);
  expect(brought).toBe(MAX_WAITING);
  expect((await all(answer.read(silent(), going()))).texts).toHaveLength(30);
  await bringing;
});

test('silence, too much, the agent’s refusal and the reader’s signal end it', async () => {
  await expect(all(new WaitingAnswer(9).read(silent(1), going()))).rejects.toThrow('silent');
  const long = new WaitingAnswer(3);
  await long.put(piece('four'));
  await expect(all(long.read(silent(), going()))).rejects.toMatchObject({ code: 'limit' });
  const refused = new WaitingAnswer(9);
  await refused.put(end({ code: 'forbidden', message: 'not yours' }));
  await expect(all(refused.read(silent(), going()))).rejects.toMatchObject({
    code: 'forbidden',
    message: 'not yours',
  });
  const gone = new AbortController();
  const left = new WaitingAnswer(9);
  const reading = all(left.read(silent(), gone.signal));
  gone.abort(new Error('hung up'));
  await expect(reading).rejects.toThrow('hung up');
  expect(left.over.aborted).toBe(true);
});

test('a code that nobody knows is not passed on', async () => {
  const answer = new WaitingAnswer(9);
  await answer.put(end({ code: 'unauthenticated', message: 'log in' }));
  await expect(all(answer.read(silent(), going()))).rejects.toMatchObject({ code: 'unavailable' });
});
