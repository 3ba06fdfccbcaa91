import { Link } from '@tanstack/react-router';
import { Notice } from '../../ui/notice.tsx';

/** For an address that the page does not know. */
export function NotFoundPage() {
  return (
    <main>
      <Notice title="There is nothing at this address">
        <p>
          <code className="font-mono text-xs break-all">{window.location.pathname}</code> is no part of this
          page. A link that somebody sent may have lost its end: those of Muster begin with{' '}
          <code className="font-mono">/?</code>.
        </p>
        <p>
          <Link to="/" className="font-medium text-accent hover:underline">
            Show the fleet
          </Link>
        </p>
      </Notice>
    </main>
  );
}
