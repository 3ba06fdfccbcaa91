import { describe, expect, it } from 'vitest';
import { KEPT_LINES, LogBuffer, matchingLines } from './log-buffer.ts';

const line = (text: string, pod = 'web-1') => ({ pod, namespace: 'shop', container: 'web', time: '', text });

describe('what the page keeps of a log', () => {
  it('is the newest lines, with numbers that stay; the others are counted', () => {
    const buffer = new LogBuffer();
    buffer.add(Array.from({ length: KEPT_LINES }, (_, i) => line(`old ${i}`)));
    expect(buffer.dropped).toBe(0);
    buffer.add([line('new 1'), line('new 2')]);
    expect(buffer.lines).toHaveLength(KEPT_LINES);
    expect(buffer.dropped).toBe(2);
    expect(buffer.lines[0]).toMatchObject({ text: 'old 2', number: 3 });
    expect(buffer.lines.at(-1)).toMatchObject({ text: 'new 2', number: KEPT_LINES + 2 });
  });

  it('is bounded in characters too, and never empty for one long line', () => {
    const buffer = new LogBuffer();
    buffer.add(Array.from({ length: 500 }, () => line('x'.repeat(16_000))));
    expect(buffer.lines.length).toBeLessThanOrEqual(250);
    expect(buffer.lines.length).toBeGreaterThan(200);
    buffer.add([line('y'.repeat(5_000_000))]);
    expect(buffer.lines).toHaveLength(1);
    buffer.add([line('short')]);
    expect(buffer.lines.map(({ text }) => text)).toEqual(['short']);
  });

  it('is filtered by text and by Pod', () => {
    const buffer = new LogBuffer();
    buffer.add([line('GET /'), line('Error: no'), line('fine', 'web-error')]);
    expect(matchingLines(buffer.lines, ' error ').map(({ text }) => text)).toEqual(['Error: no', 'fine']);
    expect(matchingLines(buffer.lines, '')).toBe(buffer.lines);
  });
});
