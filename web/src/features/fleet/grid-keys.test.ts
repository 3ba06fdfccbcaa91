import { describe, expect, it } from 'vitest';
import { nextPlace } from './grid-keys.ts';

const grid = ['x.x', 'x..', 'xxx'];
const enterable = ({ row, column }: { row: number; column: number }) => {
  const cell = grid[row]?.[column];
  return cell === undefined ? undefined : cell === 'x';
};

describe('arrow keys in a grid', () => {
  it('pass over cells that hold nothing', () => {
    expect(nextPlace({ row: 0, column: 0 }, 'ArrowRight', enterable)).toEqual({ row: 0, column: 2 });
    expect(nextPlace({ row: 0, column: 2 }, 'ArrowDown', enterable)).toEqual({ row: 2, column: 2 });
  });

  it('stop at the edge', () => {
    expect(nextPlace({ row: 1, column: 0 }, 'ArrowRight', enterable)).toBeUndefined();
    expect(nextPlace({ row: 0, column: 0 }, 'ArrowUp', enterable)).toBeUndefined();
  });

  it('are the only keys that lead anywhere', () => {
    expect(nextPlace({ row: 0, column: 0 }, 'Enter', enterable)).toBeUndefined();
  });
});
