import { RefreshCw } from 'lucide-react';
import { Button } from './parts.tsx';

/** Reads again what is shown; turns while it does. */
export function AgainButton({ label, busy, onClick }: { label: string; busy: boolean; onClick: () => void }) {
  return (
    <Button aria-label={label} title={label} disabled={busy} onClick={onClick}>
      <RefreshCw className={`size-3.5 ${busy ? 'spin' : ''}`} aria-hidden />
    </Button>
  );
}
