import { Component, type ReactNode } from "react";

import { ErrorPanel } from "./error-panel";

interface Props {
  children: ReactNode;
  /** Called before the panel is rendered again, e.g. to refetch its query. */
  onRetry?: () => void;
}

/** Error boundary around one panel of a page. */
export class PanelBoundary extends Component<Props, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return <ErrorPanel error={this.state.error} onRetry={this.retry} className="m-4" />;
  }

  private readonly retry = (): void => {
    this.props.onRetry?.();
    this.setState({ error: null });
  };
}
