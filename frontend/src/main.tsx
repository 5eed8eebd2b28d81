import "./styles/index.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/app";
import { reloadOnStaleChunk } from "./app/reload-on-stale-chunk";
import { watchConnection } from "./lib/connection";
import { watchTheme } from "./lib/theme";

reloadOnStaleChunk();
watchConnection();
watchTheme();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
