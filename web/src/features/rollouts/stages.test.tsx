import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { approval, rollout, stage } from './sample.fixture.ts';
import { Stages } from './stages.tsx';

const ago = (minutes: number) => new Date(Date.now() - (minutes + 0.5) * 60_000).toISOString();
const may = { operate: true, approve: true, admin: true, project: 'shop' };
const result = (verdict: 'ok' | 'bad' | 'unknown', detail: string, minutes: number) => ({
  verdict,
  detail,
  at: ago(minutes),
});
const measured = (change: Parameters<typeof approval>[0]) =>
  approval({ name: 'errors', kind: 'prometheus', at: 'end', asks: 'sum(errors) <= 1', ...change });

/** The words on the page, without its marks. */
function shown(...gates: ReturnType<typeof approval>[]): string {
  const found = rollout({ progress: [stage('rest', { gates })] });
  const page = renderToStaticMarkup(<Stages rollout={found} offset={0} may={may} onAsk={() => undefined} />);
  return page
    .replaceAll(/<svg.*?<\/svg>/g, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll(/\s+/g, ' ');
}

it('a gate shows what it was measured by and against, by whom, and the last values', () => {
  const recent = [result('ok', 'eu: 0.5', 2), result('bad', 'eu: 7, not <= 1', 1)];
  const text = shown(measured({ by: 'clusters', recent, last: recent[1]!, bad: 1 }));
  expect(text).toContain('at its end: sum(errors) <= 1');
  expect(text).toContain('last: bad eu: 7, not <= 1 1 min ago by the agents, 1 bad so far');
  expect(text).toContain('the last 2 measurements bad eu: 7, not <= 1 1 min ago ok eu: 0.5 2 min ago');
});

it('a gate that cannot be measured says for how long, and one whose turn never came says that', () => {
  const last = result('unknown', 'the query answers no data', 0);
  const text = shown(measured({ by: 'hub', last, unknownSince: ago(5) }));
  expect(text).toContain('not measurable for 5 min : nothing counts meanwhile');
  expect(text).toContain('by the hub');
  expect(shown(measured({ status: 'pending', over: 'never-reached' }))).toContain('never reached');
  const measuredFrom = '2026-01-01T12:06:00.000Z';
  const at = new Date(measuredFrom).toLocaleTimeString(undefined, { timeStyle: 'short' });
  expect(shown(measured({ status: 'pending', measuredFrom }))).toContain(
    `measured from ${at}`.replaceAll(/\s+/g, ' '),
  );
});
