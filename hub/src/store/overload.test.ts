import { MusterError } from '@muster/base';
import { expect, it } from 'vitest';
import { overloadOf } from './overload.ts';

const withCode = (code: string) => Object.assign(new Error('of the driver'), { code });

it.each([
  ['no connection in time', new Error('timeout exceeded when trying to connect'), 'busy'],
  ['too many clients', withCode('53300'), 'no room'],
  ['a statement that took too long', withCode('57014'), 'too long'],
  ['a server that stops', withCode('57P01'), 'stopping'],
  ['a deadlock', withCode('40P01'), 'others wrote'],
  ['no server', withCode('ECONNREFUSED'), 'cannot be reached'],
  ['a connection that was cut', new Error('Connection terminated unexpectedly'), 'lost'],
])('%s is an overload', (_, error, words) => {
  expect(overloadOf(error)).toMatchObject({ code: 'unavailable', message: expect.stringContaining(words) });
  const wrapped = MusterError.from(new Error('outer', { cause: error }));
  expect(overloadOf(wrapped)?.message).toContain(words);
});

it.each([
  ['a duplicate', withCode('23505')],
  ['a mistake', new TypeError('x is not a function')],
  ['no error', 'text'],
])('%s is none', (_, error) => expect(overloadOf(error)).toBeUndefined());
