"""The look of the page's own HTML; Gradio's variables give the colours of text and ground, light and dark."""

CSS = """
.hmst-text { font-size: 1.5em; line-height: 1.4; margin: 0.2em 0; overflow-wrap: anywhere; }
.hmst-title h1 { font-size: 1.8em; font-weight: 600; margin: 0; }
.hmst-title p { margin: 0.3em 0; overflow-wrap: anywhere; }
.hmst-note { opacity: 0.75; font-size: 0.9em; margin: 0.3em 0; }
.hmst-error { border-left: 4px solid #dc2626; background: #dc262622; padding: 0.7em 1em; overflow-wrap: anywhere; }
.hmst-answer h3 { margin: 1em 0 0.2em; font-size: 1em; font-weight: 600; }
.hmst-open { opacity: 0.55; }
.hmst-answer .hmst-button.hmst-record { min-width: 8em; padding: 0.5em 1.2em; font-size: 1em; }
.hmst-answer .hmst-button.hmst-is-recording { color: #dc2626 !important; border-color: currentColor; }
.dark .hmst-answer .hmst-button.hmst-is-recording { color: #f87171 !important; }
.hmst-level { flex: 1; max-width: 12em; height: 0.8em; }
.hmst-level::-webkit-meter-bar { background: var(--border-color-primary); border: none; }
.hmst-recorder:not(:has(.hmst-is-recording)) .hmst-level { visibility: hidden; }
.hmst-heard { margin: 0.3em 0; }
.hmst-heard span { opacity: 0.75; }
.hmst-buttons { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5em; margin: 0.8em 0 0; }
/* against Gradio's own look of buttons and links in text */
.hmst-answer :is(a, button).hmst-button { border: 1px solid var(--border-color-primary); border-radius: 6px;
  padding: 0.25em 0.8em; font-size: 0.9em; font-weight: normal; line-height: 1.5; margin: 0;
  color: var(--body-text-color) !important; text-decoration: none !important; background: none; cursor: pointer; }
.hmst-answer :is(a, button).hmst-button:hover { background: var(--background-fill-secondary); }
.hmst-answer .hmst-table { border-collapse: collapse; border: none !important; }
.hmst-answer .hmst-table :is(tr, td, th) {
  border: none; text-align: left; padding: 0.15em 1em 0.15em 0; vertical-align: top; line-height: 1.4;
}
.hmst-answer .hmst-table th { font-weight: normal; opacity: 0.75; font-size: 0.9em; white-space: nowrap; }
.hmst-table td { overflow-wrap: anywhere; }
.hmst-nbest .hmst-number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.hmst-heads { display: grid; grid-template-columns: repeat(auto-fit, minmax(14em, 1fr)); gap: 0.6em; }
.hmst-head { border: 1px solid var(--border-color-primary); border-radius: 6px; padding: 0.5em 0.8em; }
.hmst-head p { margin: 0.1em 0; overflow-wrap: anywhere; }

.hmst-picture { --ink: #c2410c; --box-lightness: 80%; }
.dark .hmst-picture { --ink: #fb923c; --box-lightness: 30%; }
.hmst-tools { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4em 1em; margin: 0.3em 0; }
.hmst-zoom { display: flex; align-items: center; gap: 0.6em; }
.hmst-zoom input { accent-color: var(--ink); width: 12em; }
.hmst-play { min-width: 6em; }
.hmst-grid { display: flex; line-height: 1; font-size: 12px; border: 1px solid var(--border-color-primary);
  border-radius: 4px; }
.hmst-names, .hmst-beside { flex: none; }
.hmst-names { padding: 0 6px; max-width: 9em; border-right: 1px solid var(--border-color-primary); }
.hmst-beside { width: 3.6em; border-left: 1px solid var(--border-color-primary); }
/* shadows at the edges where more is to be seen: the ground moves with the content and covers them at the ends */
.hmst-scroll { --ground: var(--background-fill-primary); --shade: rgb(128 128 128 / 55%); flex: 1; min-width: 0;
  overflow-x: auto; background:
  linear-gradient(to right, var(--ground) 50%, transparent) left / 40px 100% no-repeat local,
  linear-gradient(to left, var(--ground) 50%, transparent) right / 40px 100% no-repeat local,
  linear-gradient(to right, var(--shade), transparent) left / 14px 100% no-repeat scroll,
  linear-gradient(to left, var(--shade), transparent) right / 14px 100% no-repeat scroll; }
/* a scroll bar that stays in sight */
.hmst-scroll::-webkit-scrollbar { height: 10px; }
.hmst-scroll::-webkit-scrollbar-thumb { background: rgb(128 128 128 / 60%); border-radius: 5px; }
.hmst-lines { position: relative; width: calc(var(--zoom) * 100%); min-width: var(--least); }
.hmst-tools + .hmst-grid .hmst-lines { cursor: pointer; }
.hmst-cursor { position: absolute; top: 0; bottom: 0; left: var(--at); width: 2px; background: var(--ink);
  pointer-events: none; }
.hmst-picture:not(:has(audio)) .hmst-cursor { display: none; }
.hmst-row { position: relative; overflow: hidden; height: 20px; box-sizing: border-box; white-space: nowrap; }
.hmst-names .hmst-row, .hmst-beside .hmst-row { display: flex; align-items: center; }
.hmst-beside .hmst-row { justify-content: center; }
.hmst-row b { font-weight: normal; }
.hmst-row.hmst-wave { height: 72px; }
.hmst-row.hmst-units { height: 36px; }
.hmst-row.hmst-sources { height: 22px; border-bottom: 1px solid var(--border-color-primary); }
.hmst-row.hmst-token + .hmst-token { border-top: 1px dotted var(--border-color-primary); }
.hmst-names .hmst-token { font-size: 13px; }
.hmst-names .hmst-row:not(.hmst-token), .hmst-beside b, .hmst-tick b { opacity: 0.75; }
.hmst-row > i, .hmst-box, .hmst-tick { position: absolute; top: 0; bottom: 0; box-sizing: border-box; }
.hmst-row > i { background: var(--ink); min-width: 1px; }
.hmst-wave svg { position: absolute; width: 100%; height: 100%; fill: var(--body-text-color); opacity: 0.75; }
.hmst-tick, .hmst-box { container-type: inline-size; }
/* edges and labels only where there is room, however far the line is stretched */
.hmst-tick::before, .hmst-box::before { content: ""; display: none; position: absolute; inset: 0 auto 0 0; width: 1px;
  background: var(--border-color-primary); }
.hmst-box::before { background: var(--background-fill-primary); }
.hmst-sources .hmst-box::before { width: 2px; }
@container (min-width: 4px) { .hmst-box::before { display: block; } }
@container (min-width: 10px) { .hmst-tick::before { display: block; } }
.hmst-tick b { display: none; padding: 4px 3px; }
@container (min-width: 34px) { .hmst-tick b { display: block; } }
.hmst-box { overflow: hidden; }
.hmst-units .hmst-box { background: hsl(var(--hue) 65% var(--box-lightness)); }
.hmst-units .hmst-box b { display: none; height: 100%; width: 100%; writing-mode: vertical-rl; line-height: 7.5px;
  font-size: 9px; text-align: center; }
@container (min-width: 7.5px) { .hmst-units .hmst-box b { display: grid; place-content: center; } }
.hmst-sources .hmst-box { background: var(--border-color-primary); top: 3px; bottom: 3px; }
.hmst-sources .hmst-box b { display: block; padding: 2px 3px; text-align: center; }
"""
