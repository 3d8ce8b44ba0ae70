//! `mgr run`: the main job.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Args;
use mgr_pipeline::estimate::{Plan, plan};
use mgr_pipeline::evaluate::evaluate;
use mgr_pipeline::flags::RunFlags;
use mgr_pipeline::progress::{Bars, Progress};
use mgr_pipeline::run::run_until;
use mgr_pipeline::{PipelineError, RunConfig, run_seeds};

use crate::outcome::{print, refuse};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: RunFlags,
    /// Print what would be done, with time, memory and disk, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Score this finished run on the labelled folder that --dataset names, instead of training one.
    #[arg(long, value_name = "RUN")]
    evaluate: Option<PathBuf>,
    /// Put the run where `mgr predict` without --run finds it.
    #[arg(long)]
    install: bool,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Where `mgr predict` looks for a run when none is named.
pub(crate) fn installed() -> Option<PathBuf> {
    mgr_data::cache_folder().map(|cache| cache.join("genre"))
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match all(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(error),
    }
}

fn all(arguments: &Arguments) -> Result<(), String> {
    let text = |e: PipelineError| e.to_string();
    if let Some(run) = &arguments.evaluate {
        return scored(arguments, run);
    }
    let mut config = arguments.flags.configuration().map_err(text)?;
    if arguments.install {
        config.out = installed().ok_or("no folder for it: set MGR_CACHE or HOME")?;
        config.fresh = true;
    }
    let bars = Bars::new();
    if arguments.dry_run {
        let plan = plan(&config, &bars).map_err(text)?;
        return if arguments.json {
            print(serde_json::to_string_pretty(&plan).map_err(|e| e.to_string())?)
        } else {
            print(shown(&plan))
        };
    }
    let cancel = crate::outcome::interrupted();
    if config.seeds > 1 {
        return seeds(arguments, &config, &bars, cancel);
    }
    let start = Instant::now();
    let finished = run_until(&config, &bars, cancel).map_err(text)?;
    let score = &finished.results.scores[0];
    bars.say(&format!(
        "accuracy {:.1} % ({:.1} to {:.1} %), macro F1 {:.1} %{}, in {:.0} s",
        100.0 * score.accuracy,
        100.0 * score.low,
        100.0 * score.high,
        100.0 * score.macro_f1,
        if finished.results.on_test { "" } else { " on the clips that subsets were chosen on" },
        start.elapsed().as_secs_f64()
    ));
    if arguments.json {
        return print(serde_json::to_string_pretty(&finished.results.scores).map_err(|e| e.to_string())?);
    }
    print(format_args!("report: {}", finished.report.display()))
}

fn seeds(arguments: &Arguments, config: &RunConfig, bars: &Bars, cancel: &AtomicBool) -> Result<(), String> {
    let systems = run_seeds(config, bars, cancel).map_err(|e| e.to_string())?;
    if arguments.json {
        return print(serde_json::to_string_pretty(&systems).map_err(|e| e.to_string())?);
    }
    for s in &systems {
        let each: Vec<String> = s.accuracies.iter().map(|a| format!("{:.1}", 100.0 * a)).collect();
        print(format_args!(
            "{:<36} {:5.1} % +- {:.1} over seeds ({}); over clips {:.1} to {:.1} %",
            s.system,
            100.0 * s.mean,
            100.0 * s.deviation,
            each.join(", "),
            100.0 * s.low,
            100.0 * s.high
        ))?;
    }
    Ok(())
}

fn scored(arguments: &Arguments, run: &std::path::Path) -> Result<(), String> {
    let Some(root) = &arguments.flags.dataset else {
        return Err("--evaluate needs --dataset DIR, a folder of genre/file.ext".into());
    };
    let out = arguments.flags.out.clone().unwrap_or_else(|| PathBuf::from("out/evaluation"));
    let bars = Bars::new();
    let results =
        evaluate(run, root, arguments.flags.groups.as_deref(), &out, &bars).map_err(|e| e.to_string())?;
    let score = &results.scores[0];
    if arguments.json {
        return print(serde_json::to_string_pretty(&results.scores).map_err(|e| e.to_string())?);
    }
    print(format_args!(
        "accuracy {:.1} % ({:.1} to {:.1} %), macro F1 {:.1} %, {} clips, {} files cannot be used\nreport: {}",
        100.0 * score.accuracy,
        100.0 * score.low,
        100.0 * score.high,
        100.0 * score.macro_f1,
        results.clips.len(),
        results.bad.len(),
        out.join("report.html").display()
    ))
}

fn shown(plan: &Plan) -> String {
    let mut text = format!("{}: {} clips, {} genres\n", plan.dataset, plan.clips, plan.classes);
    for feature in &plan.features {
        text += &format!("  feature {feature}\n");
    }
    for reason in &plan.skipped {
        text += &format!("  {reason}\n");
    }
    for stage in &plan.stages {
        text +=
            &format!("{:<14} {:>6} pieces  about {}\n", stage.stage, stage.pieces, duration(stage.seconds));
    }
    text += &format!(
        "in all about {} on {} threads; store {:.0} MB, run {:.0} MB, memory {:.0} MB",
        duration(plan.seconds),
        plan.threads,
        plan.store_mb,
        plan.run_mb,
        plan.memory_mb
    );
    text
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
