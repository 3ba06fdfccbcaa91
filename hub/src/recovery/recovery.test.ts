import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochAfterRecovery, judgeHeard } from './recovery.ts';

const version = (epoch: bigint, generation: bigint) => ({ epoch, generation });

describe('a version that an agent verified', () => {
  it.each([
    [version(1n, 5n), version(1n, 5n), 'known'],
    [version(1n, 6n), version(1n, 5n), 'recover'],
    [version(2n, 1n), version(1n, 5n), 'recover'],
    [version(1n, 900n), version(2n, 5n), 'known'],
    [version(0n, 0n), version(1n, 0n), 'known'],
  ])('%o against %o is %s', (heard, own, kind) => {
    expect(judgeHeard(heard, own, 'prod').kind).toBe(kind);
  });

  it('is below the epoch that follows recovery, whatever it was', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 1n << 60n }),
        fc.bigInt({ min: 0n, max: 1n << 60n }),
        fc.bigInt({ min: 0n, max: 1n << 60n }),
        (own, epoch, generation) => {
          const next = epochAfterRecovery(own, epoch);
          expect(judgeHeard({ epoch, generation }, { epoch: next, generation: 0n }, 'x').kind).toBe('known');
          expect(next > own).toBe(true);
        },
      ),
    );
  });
});
