import { cn } from "@/lib/cn";

const SELECTED = "outline-2 outline-offset-2 outline-accent";

interface Props {
  selected: boolean;
  onSelect?: () => void;
  className: string;
  style?: React.CSSProperties;
  children: React.ReactNode;
}

/** A button if the node can be selected, otherwise a plain box. */
export function SelectableBox({ selected, onSelect, className, children, ...rest }: Props) {
  if (!onSelect) {
    return (
      <div className={cn(className, selected && SELECTED)} {...rest}>
        {children}
      </div>
    );
  }
  return (
    <button
      type="button"
      aria-pressed={selected}
      onClick={onSelect}
      className={cn(
        "nopan pointer-events-auto",
        className,
        "hover:border-line-strong",
        selected && SELECTED,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
