import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { Notice } from '../../ui/notice.tsx';
import type { FleetSearch } from './search.ts';

const PLACES: readonly { text: string; search: FleetSearch }[] = [
  { text: 'Show the fleet', search: {} },
  { text: 'Applications', search: { view: 'list' } },
  { text: 'Rollouts', search: { view: 'rollouts' } },
  { text: 'Promotions', search: { view: 'promotions' } },
];

/** For an address that the page does not know. */
export function NotFoundPage() {
  useEffect(() => {
    document.title = 'Nothing here · Muster';
  }, []);
  return (
    <main className="min-h-screen">
      <header className="border-b border-line bg-panel px-4 py-2">
        <h1 className="h-7 text-sm font-semibold">
          <Link to="/" className="inline-flex h-7 items-center gap-2">
            <img src="/favicon.svg" alt="" className="size-5" /> Muster
          </Link>
        </h1>
      </header>
      <Notice title="There is nothing at this address">
        <p>
          <code className="font-mono text-xs break-all">{window.location.pathname}</code> is no part of this
          page. A link that somebody sent may have lost its end: those of Muster begin with{' '}
          <code className="font-mono">/?</code>.
        </p>
        <ul className="flex flex-wrap gap-x-4 gap-y-1">
          {PLACES.map(({ text, search }) => (
            <li key={text}>
              <Link to="/" search={search} className="font-medium text-accent hover:underline">
                {text}
              </Link>
            </li>
          ))}
        </ul>
      </Notice>
    </main>
  );
}
