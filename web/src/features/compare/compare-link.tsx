import { Link } from '@tanstack/react-router';
import { GitCompareArrows } from 'lucide-react';
import { changedSearch } from '../fleet/search.ts';
import type { Compared } from './names.ts';

/** Leads to what is different between two releases; the browser's way back leads back. */
export function CompareLink({ compared, children }: { compared: Compared; children: string }) {
  return (
    <Link
      to="/"
      search={(before) =>
        changedSearch(before, { ...compared, app: undefined, about: undefined, policy: undefined })
      }
      title={`Compare ${compared.a} with ${compared.b}`}
      className="inline-flex items-baseline gap-1 whitespace-nowrap text-accent hover:underline"
    >
      <GitCompareArrows className="size-3.5 self-center" aria-hidden /> {children}
    </Link>
  );
}
