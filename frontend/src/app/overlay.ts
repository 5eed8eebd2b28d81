/** Overlays of the app shell; only one is open at a time. */
export type Overlay = "drawer" | "palette" | "shortcuts";
