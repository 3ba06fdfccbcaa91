import { MusterError } from '@muster/base';
import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

function lines(write: (log: ReturnType<typeof createLogger>) => void): string {
  let output = '';
  write(createLogger('info', { write: (line: string) => void (output += line) }));
  return output;
}

test('secrets are redacted wherever they are usually found', () => {
  const output = lines((log) =>
    log.info(
      { password: 'hunter2', request: { authorization: 'hunter2' }, a: { b: { token: 'hunter2' } } },
      'x',
    ),
  );
  expect(output).not.toContain('hunter2');
  expect(output).toContain('[redacted]');
});

test('an error is logged by what it says, not with the connection that hangs on it', () => {
  const error = Object.assign(new Error('refused'), { code: '28P01', client: { password: 'hunter2' } });
  const output = lines((log) =>
    log.warn({ err: new MusterError('unavailable', 'no database', { cause: error }) }, 'x'),
  );
  expect(output).not.toContain('hunter2');
  expect(JSON.parse(output)).toMatchObject({
    level: 'warn',
    err: { message: 'no database', code: 'unavailable', cause: { message: 'refused', code: '28P01' } },
  });
});
