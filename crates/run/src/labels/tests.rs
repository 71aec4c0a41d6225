//! Label tables as people have them.

use std::path::PathBuf;

use super::*;
use crate::classes::key;

fn image(path: &str) -> Image {
    let (fold, name) = path.split_once('/').expect("a fold");
    Image {
        fold: fold.to_owned(),
        name: name.to_owned(),
        path: path.to_owned(),
        class_folder: None,
        file: PathBuf::new(),
    }
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("a file");
    file
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The classes of `A/1.png` and `A/2.png` by name, and how the table was read.
fn read_as(
    text: &str,
    classes: &[&str],
    order: ClassOrder,
    columns: &str,
) -> Result<(Vec<Option<String>>, String)> {
    let (images, classes) = ([image("A/1.png"), image("A/2.png")], owned(classes));
    let file = file(text);
    let columns = match columns {
        "" => LabelColumns::default(),
        columns => columns.parse().expect("columns"),
    };
    let rule = Rule::File(file.path().to_owned());
    let found = label(&rule, &images, (&classes, order), &columns)?;
    let names = found.classes.iter().map(|class| class.map(|class| classes[class].clone()));
    Ok((names.collect(), found.reading.expect("a reading")))
}

fn read(text: &str) -> Result<(Vec<Option<String>>, String)> {
    read_as(text, &["Pain", "No_pain"], ClassOrder::Given, "")
}

/// Asserts that `A/1.png` is Pain and `A/2.png` No_pain.
fn pain_first(text: &str) -> String {
    let (found, reading) = read(text).unwrap_or_else(|error| panic!("{text}: {error:#}"));
    assert_eq!(found, [Some("Pain".to_owned()), Some("No_pain".to_owned())], "{text}: {reading}");
    reading
}

fn refused(text: &str) -> String {
    format!("{:#}", read(text).expect_err(text))
}

#[test]
fn columns_are_known_by_their_headings() {
    for text in [
        "filename,label\n1.png,Pain\n2.png,No_pain\n",
        "label,filename\nPain,1.png\nNo_pain,2.png\n",
        "Class Name;baby;File-Path\npain;7;A/1.png\nno pain;8;A/2.png\n",
        "id,age,diagnosis\n1,3,Pain\n2,5,no-pain\n",
        "path,image_id,split,target\nA/1.png,1,train,Pain\nA/2.png,2,test,No_pain\n",
        // A network's results are no true classes.
        "image,prediction,label\n1.png,No_pain,Pain\n2.png,No_pain,No_pain\n",
        // Two columns that say the same.
        "image,class,label\n1.png,Pain,pain\n2.png,No_pain,no_pain\n",
        "imagem;rótulo\n1.png;Pain\n2.png;No_pain\n",
    ] {
        pain_first(text);
    }
    let reading = pain_first("label,filename\nPain,1.png\nNo_pain,2.png\n");
    assert_eq!(reading, "images in `filename`, classes in `label`");
}

/// The second and third table are what `DataFrame.to_csv` of pandas 3.1 writes, the third of what it has
/// read back.
#[test]
fn row_numbers_in_front_are_passed_over() {
    for text in [
        "0,1.png,Pain\n1,2.png,No_pain\n",
        ",filename,label\n0,1.png,Pain\n1,2.png,No_pain\n",
        ",Unnamed: 0,filename,label\n1,0,1.png,Pain\n2,1,2.png,No_pain\n",
        "index,label,filename\n1,Pain,1.png\n2,No_pain,2.png\n",
    ] {
        pain_first(text);
    }
}

#[test]
fn columns_are_known_by_what_they_hold() {
    for text in [
        "Pain,1.png\nNo_pain,2.png\n",
        "1.png\tPain\n2.png\tNo_pain\n",
        "x,what,who\n7,Pain,1.png\n8,No_pain,2.png\n",
        "emotion;scan\nPain;1.png\nNo_pain;2.png\n",
    ] {
        pain_first(text);
    }
    assert_eq!(
        pain_first("Pain,1.png\nNo_pain,2.png\n"),
        "images in column 2, classes in column 1"
    );
}

#[test]
fn numbers_are_classes_where_their_order_is_given() {
    let text = "image,label\n1.png,0\n2.png,1\n";
    let reading = pain_first(text);
    let told = "images in `image`, numbers of classes in `label`, 0 is Pain, 1 is No_pain";
    assert_eq!(reading, told);
    pain_first("filename,y\n1.png,0.0\n2.png,1.0\n");
    pain_first("1.png,0\n2.png,1\n");
    // Names that are numbers.
    let classes = ["1", "0"];
    let (found, reading) = read_as(text, &classes, ClassOrder::Assumed, "").expect("labels");
    assert_eq!(found, [Some("0".to_owned()), Some("1".to_owned())]);
    assert_eq!(reading, "images in `image`, classes in `label`");
    // Names beside the numbers count.
    pain_first("image,label,class_name\n1.png,1,Pain\n2.png,0,No_pain\n");
}

#[test]
fn numbers_of_classes_in_an_assumed_order_are_refused() {
    let text = "image,label\n1.png,0\n2.png,1\n";
    let error = read_as(text, &["Pain", "No_pain"], ClassOrder::Assumed, "").expect_err("a guess");
    let error = error.to_string();
    assert!(error.contains("--classes Pain,No_pain where 0 is Pain"), "{error}");
    assert!(error.contains("--classes No_pain,Pain where 0 is No_pain"), "{error}");
    let error = refused("image,label\n1.png,0\n2.png,2\n");
    assert!(error.contains("row 2: there is no class `0`"), "{error}");
}

#[test]
fn a_column_for_each_class_has_one_1_in_each_row() {
    pain_first("image,No_pain,Pain\n1.png,0,1\n2.png,1,0\n");
    pain_first("image,pain,no pain\n1.png,1.0,0.0\n2.png,0.0,1.0\n");
    // One column says it of two classes, whatever their order.
    let reading = pain_first("image,pain\n1.png,1\n2.png,0\n");
    assert_eq!(reading, "images in `image`, classes in `pain`, 1 is Pain and 0 is No_pain");
    for (row, says) in [("0,0", "has a 1"), ("1,1", "`No_pain` and `Pain` both have a 1")] {
        let error = refused(&format!("image,No_pain,Pain\n1.png,0,1\n2.png,{row}\n"));
        assert!(error.contains("row 3") && error.contains(says), "{error}");
    }
}

#[test]
fn columns_that_could_be_it_are_named_and_may_be_chosen() {
    let text = "image,label,diagnosis\n1.png,Pain,No_pain\n2.png,No_pain,No_pain\n";
    let error = refused(text);
    assert!(error.contains("which column has the classes: `label` or `diagnosis`"), "{error}");
    assert!(error.contains("column 2 `label`: Pain, No_pain"), "{error}");
    assert!(error.ends_with("as --label-columns class=label"), "{error}");
    for columns in ["class=label", "class=2", "image=image,class=Label"] {
        let both = ["Pain", "No_pain"];
        let (found, _) = read_as(text, &both, ClassOrder::Given, columns).expect(columns);
        assert_eq!(found, [Some("Pain".to_owned()), Some("No_pain".to_owned())]);
    }
    // Here the heading says it.
    pain_first("image,other_image,class\n1.png,2.png,Pain\n2.png,1.png,No_pain\n");
    let error = refused("image,file,class\n1.png,2.png,Pain\n2.png,1.png,No_pain\n");
    assert!(error.contains("which column names the images: `image` or `file`"), "{error}");
}

#[test]
fn an_error_shows_the_rows_as_they_were_understood() {
    let error = refused("image,label\n1.png,Pain\n2.png,Pian\n");
    for says in [
        "row 3: there is no class `Pian`; the classes are Pain, No_pain",
        "\n  row 2: image `1.png`, class Pain\n  row 3: image `2.png`, class unclear",
        "\nhint: a table that works:\n  image,class\n  A/1.png,Pain",
    ] {
        assert!(error.contains(says), "{says} in {error}");
    }
    let error = refused("a,b,c\n1.png,x,y\n");
    assert!(error.contains("has no column with a heading or names of classes"), "{error}");
    assert!(error.contains("\n  column 2 `b`: x\n"), "{error}");
    assert!(refused("\n").contains("is empty"));
}

#[test]
fn a_path_of_windows_and_a_name_with_its_separator_are_both_found() {
    let images = [image("A/1.png"), image(r"A/x\xFF.png")];
    let classes = owned(&["Pain", "No_pain"]);
    let file = file(concat!(r"A\1.png,No_pain", "\n", r"A/x\xFF.png,Pain", "\n"));
    let rule = Rule::File(file.path().to_owned());
    let columns = LabelColumns::default();
    let found = label(&rule, &images, (&classes, ClassOrder::Given), &columns).expect("labels");
    assert_eq!(found.classes, [Some(1), Some(0)]);
}

#[test]
fn accents_may_be_characters_of_their_own() {
    let (one, two) = ("Jo\u{e3}o.png", "Joa\u{303}o.png");
    let classes = owned(&["Pain"]);
    let columns = LabelColumns::default();
    for (name, cell) in [(one, two), (two, one)] {
        let file = file(&format!("image,class,baby\n{cell},Pain,7\n"));
        let images = [image(&format!("A/{name}"))];
        let rule = Rule::File(file.path().to_owned());
        let found = label(&rule, &images, (&classes, ClassOrder::Given), &columns).expect("labels");
        assert_eq!(found.classes, [Some(0)]);
        let babies = column(file.path(), "baby", &images, &columns).expect("a column");
        assert_eq!(babies[&composed(name)], "7");
    }
}

#[test]
fn another_column_is_read_beside_the_images() {
    let images = [image("A/1.png"), image("A/2.png")];
    let columns = LabelColumns::default();
    let file = file(",label,baby,filename\n0,Pain,7,1.png\n1,No_pain,8,A/2.png\n");
    let babies = column(file.path(), "Baby", &images, &columns).expect("a column");
    assert_eq!((babies["1.png"].as_str(), babies["A/2.png"].as_str()), ("7", "8"));
    let own = column(file.path(), "filename", &images, &columns).expect("a column");
    assert_eq!(own["1.png"], "1.png");
}

#[test]
fn two_values_for_one_image_are_refused() {
    let (images, columns) = ([image("A/a.png")], LabelColumns::default());
    let column = |file: &tempfile::NamedTempFile| column(file.path(), "baby", &images, &columns);
    let own = file("image;class;baby\na.png;Pain;7\n./a.png;Pain;7\n");
    assert_eq!(column(&own).expect("a column")["a.png"], "7");
    let two = file("image;class;baby\na.png;Pain;7\na.png;Pain;8\n");
    let error = column(&two).expect_err("two babies").to_string();
    assert!(error.contains("`a.png`") && error.contains("7 and 8"), "{error}");
    let twice = file("image;class;baby;Baby\na.png;Pain;7;8\n");
    let error = column(&twice).expect_err("two columns").to_string();
    assert!(error.ends_with("has two columns `baby`"), "{error}");
    let wide = file(&format!("image,class{}\na.png,Pain\n", ",".repeat(20_000)));
    let error = column(&wide).expect_err("too many").to_string();
    assert!(error.ends_with("more than 16384 columns"), "{error}");
}

#[test]
fn rules_are_read_and_described() {
    for text in ["auto", "dirs", "notebook", "none", "tokens:Pain=dor"] {
        let asked: Asked = text.parse().expect(text);
        assert_eq!(key(&asked.describe()), key(text));
    }
    assert!("folders".parse::<Asked>().is_err());
}
