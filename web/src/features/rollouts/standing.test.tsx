import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { rollout } from './sample.fixture.ts';
import { Standing } from './standing.tsx';

const may = { operate: true, approve: true, admin: true, project: 'shop' };
const shown = (change: Parameters<typeof rollout>[0]) =>
  renderToStaticMarkup(
    <Standing rollout={rollout(change)} offset={0} may={may} onAsk={() => undefined} />,
  ).replaceAll(/<[^>]+>/g, ' ');

it('a circle of what targets wait for is told, with what ends it, and nothing of it where there is none', () => {
  const text = 'it is a circle, which never ends by itself: a waits for b, which waits for a';
  const said = shown({ circle: { text, ends: 'one of these is taken away: depends-on of a' } });
  expect(said).toContain(text);
  expect(said).toContain('It ends when one of these is taken away: depends-on of a.');
  expect(shown({})).not.toContain('Circle');
});
