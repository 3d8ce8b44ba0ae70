//! Parts of the image-CNN study: spectrograms as pictures, the study's networks and how they were trained, the support vector
//! machine on codes, and the protocol of CBMI 2016.

pub mod cbmi;
pub mod models;
pub mod pictures;
pub mod svm;
